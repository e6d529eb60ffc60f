// nodemailer's pool. With MESSAGE_FILE ending in .json it makes the MIME itself from subject,
// html and text, as its users do; with any other file it is given the finished bytes.
//
// Usage: node nodemailer_pool.mjs PORT COUNT CONNECTIONS MESSAGE_FILE MODULES
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [port, total, connections] = process.argv.slice(2, 5).map(Number);
const [file, modules] = process.argv.slice(5, 7);
const nodemailer = createRequire(`${modules}/`)('nodemailer');
const isMade = !file.endsWith('.json');
const content = isMade ? readFileSync(file) : JSON.parse(readFileSync(file, 'utf8'));

const pool = nodemailer.createTransport({
  pool: true, host: '127.0.0.1', port, secure: false, ignoreTLS: true,
  maxConnections: connections, maxMessages: Infinity, name: 'bench.example',
});
console.log('sending');
const begun = process.hrtime.bigint();
const cpu = process.cpuUsage();
let next = 0;
let accepted = 0;

async function work() {
  while (next < total) {
    const number = next++;
    const reader = `r${number}@d${number % 50}.example`;
    const envelope = { from: 'bounces@lantern.example', to: [reader] };
    const mail = isMade
      ? { envelope, raw: content }
      : { envelope, from: 'The Lantern <briefing@lantern.example>', to: reader, ...content };
    const info = await pool.sendMail(mail);
    accepted += info.accepted.length;
  }
}

// Twice as many askers as connections, so that no connection waits for the next message.
await Promise.all(Array.from({ length: 2 * connections }, work));
const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
const used = process.cpuUsage(cpu);
pool.close();
console.log(JSON.stringify({ messages: accepted, seconds, cpu_s: (used.user + used.system) / 1e6 }));
