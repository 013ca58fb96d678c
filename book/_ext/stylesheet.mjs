// Leaves in a style sheet what the pages use, for stylesheet.py: JSON on stdin, the sheet on stdout.
import { text } from "node:stream/consumers";
import { PurgeCSS } from "purgecss";

const { css, words, variables } = JSON.parse(await text(process.stdin));
const [{ css: purged }] = await new PurgeCSS().purge({
  content: [{ raw: words, extension: "txt" }],
  css: [{ raw: css }],
  defaultExtractor: (content) => content.split(" "),
  keyframes: true,
  variables: true,
  safelist: { variables },
});
process.stdout.write(purged);
