// Writes the scripts and styles of the pages as they are committed; two builds give the same bytes.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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
const { metafile } = await build({
  ...script,
  metafile: true,
  entryPoints: { viewer: "src/viewer/main.tsx" },
  alias: { "numcodecs/blosc": none, "numcodecs/lz4": none, "numcodecs/zstd": none },
  outdir: viewer,
});
await build({ ...common, entryPoints: { viewer: "src/viewer/viewer.css" }, outdir: viewer });

// the licences of what is in the script, which ask to go with it
const [{ inputs }] = Object.values(metafile.outputs);
const packages = Object.entries(inputs)
  .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  .flatMap(([path]) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []);
const notices = [...new Set(packages)].sort().map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(`${folder}/${file}`, "utf8").replaceAll("\r", "").trim() : "";
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync(`${viewer}/licenses.txt`, notices.join(`\n${"-".repeat(72)}\n\n`));
