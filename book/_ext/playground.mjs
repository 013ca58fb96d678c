// Pack a script, with the modules that it imports, in few bytes: `playground.mjs SCRIPT TARGET`.

import { buildSync } from "esbuild";

const [script, target] = process.argv.slice(2);
buildSync({ entryPoints: [script], outfile: target, bundle: true, minify: true, charset: "utf8", logLevel: "error" });
