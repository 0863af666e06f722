// Writes the scripts and styles of the pages as they are committed; two builds give the same bytes.
import { build } from "esbuild";

const report = "../scripts/tilewise/view/page";
const viewer = "../scripts/tilewise/serve/page";
const common = { bundle: true, minify: true, charset: "utf8", legalComments: "none" };
const script = {
  ...common,
  format: "iife",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
};
await build({ ...script, entryPoints: { report: "src/main.tsx" }, outdir: report });
await build({ ...common, entryPoints: { report: "src/report.css" }, outdir: report });
// zarrita brings decoders in WebAssembly, a megabyte of them: src/viewer/codecs.ts has what is needed
const none = "./src/viewer/no_codec.ts";
await build({
  ...script,
  entryPoints: { viewer: "src/viewer/main.tsx" },
  alias: { "numcodecs/blosc": none, "numcodecs/lz4": none, "numcodecs/zstd": none },
  outdir: viewer,
});
await build({ ...common, entryPoints: { viewer: "src/viewer/viewer.css" }, outdir: viewer });
