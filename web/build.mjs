// Writes the page's script and style as they are committed; two builds give the same bytes.
import { build } from "esbuild";

const folder = "../scripts/tilewise/view/page";
await build({
  entryPoints: { report: "src/main.tsx" },
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  outdir: folder,
});
await build({
  entryPoints: { report: "src/report.css" },
  minify: true,
  charset: "utf8",
  legalComments: "none",
  outdir: folder,
});
