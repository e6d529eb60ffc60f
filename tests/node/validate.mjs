// Validates MJML with the official implementation: a JSON list of sources on standard input, for
// each a list of [line, tag, message] to standard output. "strict" says what "soft" says, and stops
// before it draws what is wrong. Where drawing fails all the same, the line is 0.
import mjml2html from "mjml";
import { text } from "node:stream/consumers";

const faults = [];
for (const source of JSON.parse(await text(process.stdin))) {
  try {
    await mjml2html(source, { fonts: {}, validationLevel: "strict" });
    faults.push([]);
  } catch (error) {
    const found = error.errors ?? [{ line: 0, tagName: "mjml", message: error.message }];
    faults.push(found.map(({ line, tagName, message }) => [line, tagName, message]));
  }
}
process.stdout.write(JSON.stringify(faults));
