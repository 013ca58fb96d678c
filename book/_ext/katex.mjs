// Renders formulas for katex.py: one JSON request a line on stdin, one JSON answer a line on stdout.
import { createInterface } from "node:readline";
import katex from "katex";

const shared = {
  output: "htmlAndMathml",
  throwOnError: true,
  trust: ({ command }) => command === "\\htmlClass",
  // Everything doubtful is an error, but for the one HTML extension that carries the colours.
  strict: (code) => (code === "htmlExtension" ? "ignore" : "error"),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { tex, displayMode } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(tex, { ...shared, displayMode }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
