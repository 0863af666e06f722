// One tile through every step, by one or two methods, zoomed and moved in step.

import * as Plot from "@observablehq/plot";
import { Fragment } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { CLASSES, CLASS_WORDS, type Class, maskColor, palette as paletteOf, type Rgb } from "./colors";
import { NO_THRESHOLD } from "./check";
import { viewerCommand } from "./command";
import { Copy } from "./copy";
import { numbers, type Pack, pack as loadPack, type Picture, type Tile } from "./data";
import { count, percent, short } from "./format";
import { Term } from "./glossary";
import { FEATURES, scoresOfTiles, useShown } from "./model";
import { decode, draw, foreground, type Layer, LAYERS, type Look, meanColor, type Pixels, shares } from "./pictures";
import { Figure } from "./plots";

/** Why a tile is shown, at most. */
const REASONS = 4;
const NO_SHIFT = { scale: 1, x: 0, y: 0 };
type Shift = typeof NO_SHIFT;

export function TileView({ tile, previous, next }: { tile: Tile; previous: () => void; next: () => void }) {
  const shown = useShown();
  const { data, change, a, b, palette } = shown;
  const [pack, setPack] = useState<Pack | null>(null);
  const [error, setError] = useState("");
  const [shift, setShift] = useState<Shift>(NO_SHIFT);
  const [layers, setLayers] = useState<Layer | "all">("all");
  const [classes, setClasses] = useState<Record<Class, boolean>>({ tp: true, fp: true, fn: true, tn: false });
  const [mean, setMean] = useState<Rgb | null>(null);
  const [isHelp, setHelp] = useState(false);
  const panel = useRef<HTMLElement>(null);

  useEffect(() => {
    let isGone = false;
    setPack(null);
    setError("");
    setShift(NO_SHIFT);
    if (tile.pack === null) return;
    loadPack(data, tile.pack)
      .then((found) => !isGone && setPack(found))
      .catch((problem: Error) => !isGone && setError(problem.message));
    return () => {
      isGone = true;
    };
  }, [tile.id]);

  useEffect(() => {
    if (!pack) return setMean(null);
    let isGone = false;
    void decode(pack.image).then((pixels) => !isGone && setMean(meanColor(pixels)));
    return () => {
      isGone = true;
    };
  }, [pack]);

  useEffect(() => {
    panel.current?.scrollIntoView?.({ block: "nearest" });
  }, [tile.id]);

  // before the page is drawn, so that no key that is held down is lost
  useLayoutEffect(() => {
    const names = [...shown.methods.keys()];
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.matches("select, input, textarea")) return;
      const step = (by: number) =>
        change({ a: names[(names.indexOf(a) + by + names.length) % names.length] ?? a });
      const acts: Record<string, () => void> = {
        ArrowLeft: previous,
        ArrowRight: next,
        m: () => step(1),
        M: () => step(-1),
        l: () => setLayers(following(layers)),
        "+": () => setShift(zoomed(shift, 1.5)),
        "-": () => setShift(zoomed(shift, 1 / 1.5)),
        "0": () => setShift(NO_SHIFT),
        "?": () => setHelp(!isHelp),
        Escape: () => (isHelp ? setHelp(false) : change({ tile: "" })),
      };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });

  const colors = paletteOf(data, palette, mean);
  const mask = tile.annotated ? null : maskColor(mean);
  // the published colours are blended as published
  const look: Look = { colors, mask, shown: classes, alpha: palette === "published" ? data.alpha : 0.7 };
  const methods = b ? [a, b] : [a];
  const available = LAYERS.filter((layer) => pack && methods.some((name) => isThere(pack, tile, name, layer)));
  const list = available.filter((layer) => layers === "all" || layers === layer || !available.includes(layers));
  const following = (layer: Layer | "all"): Layer | "all" => {
    const all = ["all", ...available] as const;
    return all[(all.indexOf(layer) + 1) % all.length]!;
  };
  // not drawn again at every step of a zoom
  const histograms = useMemo(
    () => pack && methods.map((method) => <Histogram key={method} pack={pack} method={method} />),
    [pack, a, b],
  );
  return (
    <section id="tile" ref={panel} aria-label={`Tile ${tile.sample} ${tile.name}`}>
      <div class="controls">
        <h3>
          {tile.sample} <small>{tile.name}</small>
        </h3>
        <span>
          <button type="button" id="previous" onClick={previous}>
            Previous
          </button>
          <button type="button" id="next" onClick={next}>
            Next
          </button>
          <button type="button" onClick={() => setHelp(!isHelp)} aria-expanded={isHelp}>
            Keys
          </button>
          <button type="button" id="close" onClick={() => change({ tile: "" })}>
            Close
          </button>
        </span>
      </div>
      {isHelp && (
        <p class="note" role="status">
          <kbd>←</kbd> <kbd>→</kbd> tiles; <kbd>m</kbd> <kbd>M</kbd> next and previous method; <kbd>l</kbd>{" "}
          next layer; <kbd>+</kbd> <kbd>-</kbd> <kbd>0</kbd> zoom; <kbd>Esc</kbd> closes. Drag a picture to move
          it, turn the wheel to zoom.
        </p>
      )}
      {!tile.annotated && (
        <p class="untold">
          <strong>No truth here.</strong> Nobody has annotated this tile: nothing of it is scored, and nothing says
          where a mask is right.
        </p>
      )}
      <fieldset class="classes">
        <legend>Overlay</legend>
        {mask && (
          <span>
            <span class="swatch" style={{ background: `rgb(${mask.join(" ")})` }} /> mask, right or wrong
          </span>
        )}
        {tile.annotated && CLASSES.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              name={name}
              checked={classes[name]}
              onChange={(event) => setClasses({ ...classes, [name]: event.currentTarget.checked })}
            />
            <span class="swatch" style={{ background: `rgb(${colors[name].join(" ")})` }} /> {name.toUpperCase()}{" "}
            <small>{CLASS_WORDS[name]}</small>
          </label>
        ))}
        <label>
          Layer{" "}
          <select value={layers} onChange={(event) => setLayers(event.currentTarget.value as Layer | "all")}>
            <option value="all">all</option>
            {available.map((layer) => (
              <option key={layer} value={layer}>
                {layer}
              </option>
            ))}
          </select>
        </label>
      </fieldset>
      {tile.reasons.length > 0 && (
        <p class="note">
          Shown as: {tile.reasons.slice(0, REASONS).join("; ")}
          {tile.reasons.length > REASONS && ` and ${tile.reasons.length - REASONS} more`}.
        </p>
      )}
      {error && <p class="warning">{error}</p>}
      {tile.pack === null && (
        <p class="note">
          There are no full pictures of this tile in the report: it has those of the worst, the best, the most
          disputed and some random tiles. <code>report.tiles</code> in the configuration asks for more.
        </p>
      )}
      {pack &&
        methods.map((method) => (
          <Panes key={method} pack={pack} tile={tile} method={method} layers={list} look={look} shift={shift} setShift={setShift} />
        ))}
      {tile.annotated && <Numbers tile={tile} methods={methods} />}
      <Quality tile={tile} />
      {histograms}
      <InViewer tile={tile} method={a} />
    </section>
  );
}

/** How to see more of the image than the tile: a page from the disk can give a command, and no more. */
function InViewer({ tile, method }: { tile: Tile; method: string }) {
  const command = viewerCommand(location, tile.sample, tile.name, method);
  return (
    <div class="viewer">
      <p class="note">
        To see this tile in the whole image, at any zoom, run this in the folder of tilewise:
      </p>
      <pre tabIndex={0}>{command}</pre>
      <Copy text={command} label="Copy the command" />
    </div>
  );
}

/** The picture and the labels that a layer of a method is drawn from; none where it has none. */
function sourcesOf(pack: Pack, tile: Tile, method: string, layer: Layer): [Picture?, Picture?] {
  const codes = pack.codes[method];
  if (layer === "image") return [pack.image];
  if (layer === "filtered") return [pack.filtered[pack.method_filter[method] ?? ""]];
  if (layer === "probability") return [pack.probability[method]];
  if (layer === "mask" || (layer === "truth" && tile.annotated)) return [undefined, codes];
  return layer === "overlay" && codes ? [pack.image, codes] : [];
}

const isThere = (...of: Parameters<typeof sourcesOf>) => sourcesOf(...of).some(Boolean);

const zoomed = (shift: Shift, by: number): Shift => {
  const scale = Math.min(Math.max(shift.scale * by, 1), 32);
  return scale === 1 ? NO_SHIFT : { ...shift, scale };
};

interface PanesProps {
  pack: Pack;
  tile: Tile;
  method: string;
  layers: Layer[];
  look: Look;
  shift: Shift;
  setShift: (shift: Shift) => void;
}

function Panes({ pack, tile, method, layers, look, shift, setShift }: PanesProps) {
  const drawn = layers.filter((layer) => isThere(pack, tile, method, layer));
  return (
    <div class="panes" role="group" aria-label={method}>
      <h4>{method}</h4>
      <div class="row" style={{ "--layers": layers.length }}>
        {drawn.map((layer) => {
          const [ground, codes] = sourcesOf(pack, tile, method, layer);
          return <Pane key={layer} {...{ layer, ground, codes, tile, method, look, shift, setShift }} />;
        })}
      </div>
      {!pack.codes[method] && (
        <p class="note">
          No mask of {method} on this tile.
          {!tile.annotated && (
            <>
              {" "}
              With <code>apply: all</code> in the configuration, all methods segment all tiles.
            </>
          )}
        </p>
      )}
    </div>
  );
}

interface PaneProps extends Omit<PanesProps, "pack" | "layers"> {
  layer: Layer;
  ground: Picture | undefined;
  codes: Picture | undefined;
}

function Pane({ tile, method, layer, ground, codes, look, shift, setShift }: PaneProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState("");
  const drag = useRef<{ x: number; y: number } | null>(null);
  const { a, data, metric } = useShown();
  useEffect(() => {
    let isGone = false;
    const read = (picture: Picture | undefined): Promise<Pixels | null> =>
      picture ? decode(picture) : Promise.resolve(null);
    void Promise.all([read(ground), read(codes)]).then(([image, labels]) => {
      if (isGone || !canvas.current) return;
      draw(canvas.current, layer, image, labels, look);
      if (layer === "overlay" && labels && look.mask) setWords(`: ${percent(foreground(labels))} is foreground`);
      else if (layer === "overlay" && labels) {
        const { tp, fp, fn } = shares(labels);
        setWords(`: of what was scored ${percent(tp)} is found, ${percent(fp)} wrong, ${percent(fn)} missed`);
      }
    });
    return () => {
      isGone = true;
    };
  }, [ground, codes, layer, JSON.stringify(look)]);
  useEffect(() => {
    // passive listeners, as frameworks add, cannot keep the page from scrolling
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && shift.scale === 1 && event.deltaY > 0) return;
      event.preventDefault();
      setShift(zoomed(shift, event.deltaY < 0 ? 1.2 : 1 / 1.2));
    };
    const target = frame.current;
    target?.addEventListener("wheel", wheel, { passive: false });
    return () => target?.removeEventListener("wheel", wheel);
  });
  const score = scoresOfTiles(data, method, metric.name)[tile.index] ?? null;
  const own = layer === "image" || layer === "truth" ? "" : ` of ${method}`;
  const known = tile.annotated ? `, ${metric.label} ${short(score)}` : ", without truth";
  const name = layer === "overlay" && !tile.annotated ? "mask over the image" : layer;
  const description = `${name}${own}, ${tile.sample} ${tile.name}${layer === "overlay" ? known + words : ""}`;
  const move = (event: PointerEvent) => {
    if (!drag.current || !frame.current) return;
    const side = frame.current.clientWidth;
    const x = shift.x + (event.clientX - drag.current.x) / side;
    const y = shift.y + (event.clientY - drag.current.y) / side;
    drag.current = { x: event.clientX, y: event.clientY };
    setShift({ ...shift, x, y });
  };
  return (
    <figure class="pane">
      <div
        class="frame"
        ref={frame}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY };
          (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
        }}
        onPointerMove={move}
        onPointerUp={() => (drag.current = null)}
        onDblClick={() => setShift(shift.scale === 1 ? zoomed(shift, 4) : NO_SHIFT)}
      >
        <canvas
          ref={canvas}
          role="img"
          aria-label={description}
          data-layer={layer}
          data-method={method}
          style={{ transform: `translate(${100 * shift.x}%, ${100 * shift.y}%) scale(${shift.scale})` }}
        />
      </div>
      <figcaption>
        <span>
          {name}
          {method !== a && own ? own : ""}
        </span>
        {layer === "probability" && (
          <span class="legend">
            0 <span class="ramp" aria-hidden="true" /> 1
          </span>
        )}
      </figcaption>
    </figure>
  );
}

function Numbers({ tile, methods }: { tile: Tile; methods: string[] }) {
  const { data, metrics } = useShown();
  const names = [...metrics.keys()];
  const counts = ["tp", "fp", "fn", "tn"];
  return (
    <div class="wide" role="region" aria-label="Scores of the tile" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">method</th>
            {names.map((name) => (
              <th scope="col" class="number" key={name}>
                {metrics.get(name)?.label}
              </th>
            ))}
            {counts.map((name) => (
              <th scope="col" class="number" key={name}>
                {name.toUpperCase()}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {methods.map((method) => (
            <tr key={method}>
              <th scope="row">
                {method}
                {data.methods.find((one) => one.name === method)?.is_tuned && <small> tuned on these tiles</small>}
              </th>
              {names.map((name) => (
                <td class="number" key={name}>
                  {short(scoresOfTiles(data, method, name)[tile.index] ?? null)}
                </td>
              ))}
              {counts.map((name) => (
                <td class="number" key={name}>
                  {count(scoresOfTiles(data, method, name)[tile.index] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What is measured without truth. */
function Quality({ tile }: { tile: Tile }) {
  const { data } = useShown();
  const known = FEATURES.map((name) => [name, numbers(data.tiles, name)[tile.index] ?? null] as const).filter(
    ([, value]) => value !== null,
  );
  if (!known.length && !tile.flags.length) return null;
  return (
    <p class="note">
      {known.map(([name, value], i) => (
        <Fragment key={name}>
          {i > 0 && ", "}
          <Term name={name}>{name.replaceAll("_", " ")}</Term> {short(value)}
        </Fragment>
      ))}
      {tile.flags.length > 0 && `. Flags: ${tile.flags.join(", ")}`}
      {tile.excluded && ". Excluded from scores"}.
    </p>
  );
}

export function Histogram({ pack, method }: { pack: Pack; method: string }) {
  const histogram = pack.histograms[pack.method_filter[method] ?? ""];
  const threshold = pack.thresholds[method];
  if (!histogram) return null;
  const [first, step] = histogram.edges;
  const bars = histogram.counts.map((pixels, i) => ({
    low: first + i * step,
    high: first + (i + 1) * step,
    pixels,
  }));
  const values = threshold?.values ?? [];
  return (
    <Figure
      name={`histogram-${method}`}
      description={`Histogram of the filtered tile, ${method}, with thresholds ${values.map((value) => short(value)).join(", ")}`}
      rows={bars}
      options={{
        width: 640,
        height: 190,
        marginLeft: 60,
        marginBottom: 45,
        x: { label: "grey level after filtering", labelOffset: 38 },
        y: { type: "sqrt", label: "pixels (square root)", grid: true },
        marks: [
          Plot.rectY(bars, { x1: "low", x2: "high", y: "pixels", fill: "currentColor", fillOpacity: 0.45 }),
          Plot.ruleX(values, { stroke: "var(--other)", strokeWidth: 2 }),
          Plot.text(values, {
            x: (value: number) => value,
            frameAnchor: "top",
            text: (value: number) => short(value, 1),
            dx: 4,
            textAnchor: "start",
            fill: "var(--other)",
          }),
        ],
      }}
    >
      {method}: {values.length ? `threshold ${values.map((value) => short(value, 1)).join(", ")}` : threshold?.note || NO_THRESHOLD}
      {values.length > 0 && threshold?.note ? ` (${threshold.note})` : ""}
    </Figure>
  );
}
