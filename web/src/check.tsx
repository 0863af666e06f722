// What stands behind the scores: confusion matrices, errors by place and size, annotators, flags.

import * as Plot from "@observablehq/plot";
import { useState } from "preact/hooks";
import { number, type Pack, rows, type Row, text } from "./data";
import { percent, short } from "./digits";
import { count } from "./format";
import { Term } from "./glossary";
import { ranked, scoresOfTiles, useShown } from "./model";
import { extent } from "./colors";
import { csv, drawn, Figure, MethodLegend, methodScales, save, saveSvg, Wide } from "./plots";

export function Check() {
  return (
    <>
      <Confusion />
      <Errors />
      <Histograms />
      <Agreement />
      <Flags />
    </>
  );
}

type Matrix = Record<"tp" | "fp" | "fn" | "tn", number> & { method: string };

/** Matrices in a row of the plot for papers. */
const ABREAST = 3;

/** All matrices as one plot, as the tables have them. */
function asPlot(matrices: Matrix[]): Plot.PlotOptions {
  const across = Math.min(ABREAST, matrices.length);
  const down = Math.ceil(matrices.length / across);
  const titles = matrices.map(({ method }, i) => ({ method, fx: i % across, fy: Math.floor(i / across) }));
  const cells = matrices.flatMap(({ tp, fp, fn, tn }, i) => {
    const [background, foreground] = [tn + fp, tp + fn];
    const cell = (label: string, truth: string, mask: string, pixels: number, of: number) => {
      const share = of ? pixels / of : 0;
      const words = `${label} ${count(pixels)}\n${of ? percent(share, 1) : "–"}`;
      return { ...titles[i]!, truth, mask, share, words };
    };
    return [
      cell("TN", "background", "background", tn, background),
      cell("FP", "background", "foreground", fp, background),
      cell("FN", "foreground", "background", fn, foreground),
      cell("TP", "foreground", "foreground", tp, foreground),
    ];
  });
  return {
    width: 130 + 260 * across,
    height: 60 + 150 * down,
    marginLeft: 90,
    marginTop: 40,
    marginBottom: 45,
    fx: { axis: null, padding: 0.12 },
    fy: { axis: null, padding: 0.35 },
    x: { label: "mask", labelAnchor: "center", labelArrow: "none", tickSize: 0 },
    y: { label: "truth", labelAnchor: "center", labelArrow: "none", tickSize: 0 },
    color: { type: "linear", scheme: "blues", domain: [0, 1.6] },
    marks: [
      Plot.cell(cells, { fx: "fx", fy: "fy", x: "mask", y: "truth", fill: "share", stroke: "#fff" }),
      Plot.text(cells, { fx: "fx", fy: "fy", x: "mask", y: "truth", text: "words", fill: "#000" }),
      Plot.text(titles, { fx: "fx", fy: "fy", frameAnchor: "top", dy: -8, lineAnchor: "bottom", text: "method", fontWeight: "bold" }),
    ],
  };
}

function Confusion() {
  const shown = useShown();
  const { data } = shown;
  const matrices: Matrix[] = ranked(shown, data.metric)
    .map((row) => {
      const method = text(row.method);
      const sum = (name: string) =>
        scoresOfTiles(data, method, name).reduce<number>((total, value) => total + (value ?? 0), 0);
      return { method, tp: sum("tp"), fp: sum("fp"), fn: sum("fn"), tn: sum("tn") };
    })
    .filter((one) => one.tp + one.fp + one.fn + one.tn > 0);
  if (!matrices.length) return <p>No tile is annotated: there is nothing to check.</p>;
  const cell = (label: string, pixels: number, of: number) => {
    const share = of ? pixels / of : 0;
    return (
      <td class="number" style={{ background: `color-mix(in srgb, var(--accent) ${Math.round(45 * share)}%, transparent)` }}>
        <b>{label}</b> {count(pixels)}
        <br />
        <small>{of ? percent(share, 1) : "–"} of row</small>
      </td>
    );
  };
  return (
    <section aria-labelledby="confusion">
      <h3 id="confusion">
        <Term name="confusion matrix">Confusion matrices</Term>
      </h3>
      <p>
        Pixels of all annotated tiles together; below each, its share of the row, of what truth says.
        {data.tiles_total > shown.tiles.length && " Only tiles that the report lists are in them."}
      </p>
      <p class="exports">
        <button
          type="button"
          aria-label="Save confusion as SVG"
          onClick={() => saveSvg("confusion", drawn(asPlot(matrices), "Confusion matrices"))}
        >
          SVG
        </button>
        <button
          type="button"
          aria-label="Save confusion as CSV"
          onClick={() => save("confusion.csv", "text/csv", csv(matrices))}
        >
          CSV
        </button>
      </p>
      <Wide label="Confusion matrices">
        <div class="matrices">
        {matrices.map((one) => (
          <table key={one.method} class="matrix">
            <caption>
              {one.method}
              {shown.methods.get(one.method)?.is_tuned && <small> tuned on these tiles</small>}
            </caption>
            <thead>
              <tr>
                <td />
                <th scope="col">mask: background</th>
                <th scope="col">mask: foreground</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">truth: background</th>
                {cell("TN", one.tn, one.tn + one.fp)}
                {cell("FP", one.fp, one.tn + one.fp)}
              </tr>
              <tr>
                <th scope="row">truth: foreground</th>
                {cell("FN", one.fn, one.tp + one.fn)}
                {cell("TP", one.tp, one.tp + one.fn)}
              </tr>
            </tbody>
          </table>
        ))}
        </div>
      </Wide>
    </section>
  );
}

/** What is said of a method that has no threshold, and gives no reason. */
export const NO_THRESHOLD = "no threshold of grey levels";

const isNumber = (cell: unknown) => text(cell) !== "" && Number.isFinite(Number(text(cell)));
export const COUNTS = ["fp", "fn", "tp", "tn"] as const;

/** What errors are sorted by, in words. */
const ofErrors = (by: string) => (by === "distance" ? "distance to the boundary" : by);

/** Errors of all samples together, by calibre, distance and quality. */
function Errors() {
  const { data } = useShown();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const list = rows(data.tables.errors);
  const scored = new Set(list.map((row) => text(row.method)));
  const methods = data.methods.map((one) => one.name).filter((name) => scored.has(name));
  const scales = methodScales(data, methods);
  const kinds = [...new Set(list.map((row) => text(row.by)))];
  if (!kinds.length) return null;
  return (
    <section aria-labelledby="errors">
      <h3 id="errors">Where errors are</h3>
      <p class="note">A click on a method hides it, or shows it again.</p>
      <MethodLegend data={data} methods={methods} hidden={hidden} setHidden={setHidden} />
      {kinds.map((by) => {
        const pooled = new Map<string, Record<string, number | string | null>>();
        for (const row of list.filter((own) => own.by === by)) {
          const key = [row.method, row.low, row.high].map(text).join("\n");
          const known = pooled.get(key) ?? { method: text(row.method), low: row.low ?? null, high: row.high ?? null };
          for (const name of COUNTS) known[name] = (number(known[name]) ?? 0) + (number(row[name]) ?? 0);
          pooled.set(key, known);
        }
        const values = [...pooled.values()].map((row) => {
          const [fp, fn, tp, tn] = COUNTS.map((name) => number(row[name]) ?? 0) as [number, number, number, number];
          const high = text(row.high);
          return {
            method: text(row.method),
            class: high === "" ? `${text(row.low)}${isNumber(row.low) ? " and more" : ""}` : `${text(row.low)} to ${high}`,
            low: row.low ?? null,
            // of classes without foreground in truth, what is wrong among all
            value: tp + fn > 0 ? tp / (tp + fn) : (fp + fn) / Math.max(tp + fp + fn + tn, 1),
            isRecall: tp + fn > 0,
          };
        });
        const isRecall = values.some((row) => row.isRecall);
        const label = isRecall ? "recall" : "share of pixels that are wrong";
        const kept = values.filter((row) => row.isRecall === isRecall);
        const classes = [...new Set(kept.map((row) => row.class))];
        const shown = kept.filter((row) => !hidden.has(row.method));
        const [least, greatest] = extent(shown.map((row) => row.value));
        return (
          <div key={by}>
            <h4>
              <Term name={ofErrors(by)}>By {ofErrors(by)}</Term>
            </h4>
            <Figure
              name={`errors-${by}`}
              description={`${label} of each method by ${ofErrors(by)}`}
              exported={{ symbol: { ...scales.symbol, legend: true } }}
              least={70 + 50 * classes.length}
              rows={kept.map(({ method, class: name, value }) => ({ method, class: name, value }))}
              options={{
                width: 1240,
                height: 300,
                marginLeft: 50,
                marginBottom: 45,
                x: { type: "point", domain: classes, label: by === "quality" ? by : `${ofErrors(by)} (px)`, labelOffset: 38 },
                y: { label, grid: true, domain: [Math.max(0, least - 0.02), Math.min(1, greatest + 0.02)] },
                ...scales,
                marks: [
                  ...(kept.every((row) => isNumber(row.low))
                    ? [Plot.line(shown, { x: "class", y: "value", stroke: "method", strokeWidth: 1.5 })]
                    : []),
                  Plot.dot(shown, { x: "class", y: "value", fill: "method", symbol: "method", r: 4, tip: true }),
                ],
              }}
            >
              All samples together.
            </Figure>
          </div>
        );
      })}
    </section>
  );
}

type Histogram = Pack["histograms"][string];

/** Most bins of histograms of several tiles. */
const MOST_BINS = 512;

/** The sum of histograms, in bins as wide as the widest of them: pixels of a bin are spread over it. */
function summed(all: Histogram[]): Histogram {
  const [first] = all;
  if (all.every(({ edges }) => edges[0] === first!.edges[0] && edges[1] === first!.edges[1])) {
    const longest = Math.max(...all.map(({ counts }) => counts.length));
    const sum = (i: number) => all.reduce((pixels, { counts }) => pixels + (counts[i] ?? 0), 0);
    return { edges: first!.edges, counts: Array.from({ length: longest }, (_, i) => sum(i)) };
  }
  // of a single bin, which a constant tile has, the middle is known and the width means nothing
  const bins = all.flatMap(({ edges: [low, width], counts }) =>
    counts.map((pixels, i) =>
      counts.length > 1
        ? { low: low + i * width, high: low + (i + 1) * width, pixels }
        : { low: low + width / 2, high: low + width / 2, pixels },
    ),
  );
  const low = Math.min(...bins.map((bin) => bin.low));
  const high = Math.max(...bins.map((bin) => bin.high));
  const widest = Math.max(...all.map(({ edges, counts }) => (counts.length > 1 ? edges[1] : 0)));
  const width = Math.max(widest, (high - low) / MOST_BINS);
  const counts: number[] = new Array(Math.max(1, Math.ceil((high - low) / width - 1e-9))).fill(0);
  for (const bin of bins) {
    const start = Math.min(Math.floor((bin.low - low) / width), counts.length - 1);
    // a bin is no wider than those of the sum, and lies in two of them at most
    const edge = low + (start + 1) * width;
    const inside = bin.high > edge && start + 1 < counts.length ? (edge - bin.low) / (bin.high - bin.low) : 1;
    counts[start]! += bin.pixels * inside;
    if (inside < 1) counts[start + 1]! += bin.pixels * (1 - inside);
  }
  return { edges: [low, width], counts };
}

/** Of the tiles whose pictures the page holds, with every method's thresholds. */
function Histograms() {
  const { data } = useShown();
  const packs = Object.values(data.packs.embedded).filter((pack): pack is Pack => pack !== null);
  const filters = new Set(packs.flatMap((pack) => Object.keys(pack.histograms)));
  const merged = new Map(
    [...filters].map((filter) => [
      filter,
      {
        ...summed(packs.flatMap((pack) => pack.histograms[filter] ?? [])),
        methods: new Map<string, number[]>(),
        without: new Map<string, string>(),
      },
    ]),
  );
  for (const pack of packs) {
    for (const [method, { values, note }] of Object.entries(pack.thresholds)) {
      const known = merged.get(pack.method_filter[method] ?? "");
      if (known && values.length) known.methods.set(method, [...(known.methods.get(method) ?? []), ...values]);
      else if (known) known.without.set(method, note || NO_THRESHOLD);
    }
  }
  const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
  return (
    <section aria-labelledby="histograms">
      <h3 id="histograms">Histograms and thresholds</h3>
      <p>
        {packs.length > 1
          ? `Of ${packs.length} tiles together; a line is the median threshold of a method on them.`
          : "Of one tile; a line is the threshold of a method."}
      </p>
      {[...merged].map(([filter, { edges, counts, methods, without }]) => {
        const lines = [...methods].map(([method, values]) => ({ method, value: median(values) }));
        const bars = counts.map((pixels, i) => ({
          low: edges[0] + i * edges[1],
          high: edges[0] + (i + 1) * edges[1],
          pixels,
        }));
        return (
          <Figure
            key={filter}
            name={`histogram-${filter || "image"}`}
            description={`Histogram after ${filter || "no filter"}, with the thresholds of ${lines
              .map((line) => `${line.method} ${short(line.value, 1)}`)
              .join(", ")}`}
            rows={bars}
            options={{
              width: 1240,
              height: 220,
              marginLeft: 60,
              marginBottom: 45,
              x: { label: `grey level after ${filter || "no filter"}`, labelOffset: 38 },
              y: { type: "sqrt", label: "pixels (square root)", grid: true },
              color: { legend: true, ...methodScales(data, lines.map((line) => line.method)).color },
              marks: [
                Plot.rectY(bars, { x1: "low", x2: "high", y: "pixels", fill: "currentColor", fillOpacity: 0.4 }),
                Plot.ruleX(lines, { x: "value", stroke: "method", strokeWidth: 2, tip: true }),
              ],
            }}
          >
            {[
              ...lines.map((line) => `${line.method} ${short(line.value, 1)}`),
              ...[...without].map(([method, note]) => `${method}: ${note}`),
            ].join("; ")}
          </Figure>
        );
      })}
    </section>
  );
}

function Agreement() {
  const { data } = useShown();
  const list = rows(data.tables.agreement);
  const annotators = rows(data.tables.annotators);
  if (!list.length && !annotators.length) return null;
  return (
    <section aria-labelledby="agreement">
      <h3 id="agreement">
        <Term name="annotators">Agreement of annotators</Term>
      </h3>
      <Plain label="Agreement of annotators" list={list} />
      <Plain label="Each annotator" list={annotators} />
    </section>
  );
}

function Flags() {
  const { tiles } = useShown();
  const counts = new Map<string, { all: number; annotated: number }>();
  for (const tile of tiles)
    for (const flag of tile.flags) {
      const known = counts.get(flag) ?? { all: 0, annotated: 0 };
      counts.set(flag, { all: known.all + 1, annotated: known.annotated + (tile.annotated ? 1 : 0) });
    }
  return (
    <section aria-labelledby="flags">
      <h3 id="flags">Flags of quality</h3>
      {counts.size === 0 ? (
        <p>No tile is flagged.</p>
      ) : (
        <Plain
          label="Flags"
          list={[...counts].map(([flag, { all, annotated }]) => ({ flag, tiles: all, annotated }))}
        />
      )}
    </section>
  );
}

/** Characters from which on a cell is as wide as words need it. */
const LONG_TEXT = 16;

export function Plain({ label, list }: { label: string; list: Row[] }) {
  const names = Object.keys(list[0] ?? {}).filter((name) => list.some((row) => text(row[name]) !== ""));
  if (!names.length) return null;
  const areWhole = new Set(
    names.filter((name) => list.every((row) => row[name] === null || Number.isInteger(row[name]))),
  );
  return (
    <Wide label={label}>
      <table>
        <thead>
          <tr>
            {names.map((name) => (
              <th scope="col" key={name} class={typeof list[0]![name] === "number" ? "number" : ""}>
                <Term name={name}>{name.replaceAll("_", " ")}</Term>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.map((row, i) => (
            <tr key={i}>
              {names.map((name) =>
                typeof row[name] === "number" ? (
                  <td class="number" key={name}>
                    {areWhole.has(name) ? count(row[name]) : short(row[name])}
                  </td>
                ) : (
                  <td class={text(row[name]).length > LONG_TEXT ? "words" : ""} key={name}>
                    {text(row[name])}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}
