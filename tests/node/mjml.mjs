// Renders MJML read from standard input with the official implementation, HTML to standard output.
import mjml2html from "mjml";
import { text } from "node:stream/consumers";

const { html, errors } = await mjml2html(await text(process.stdin), {
  fonts: {},
  keepComments: false,
  validationLevel: "soft",
});
for (const error of errors) console.error(error.formattedMessage);
process.stdout.write(html);
process.exitCode = errors.length ? 1 : 0;
