// One tile through every step, by one or two methods, zoomed and moved in step.

import * as Plot from "@observablehq/plot";
import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { CLASSES, CLASS_WORDS, type Class, maskColor, palette as paletteOf, type Rgb, VERSUS, versusColors } from "./colors";
import { COUNTS, NO_THRESHOLD } from "./check";
import { viewerCommand } from "./command";
import { Copy } from "./copy";
import { numbers, type Pack, pack as loadPack, type Picture, type Tile } from "./data";
import { percent, short } from "./digits";
import { count } from "./format";
import { Term } from "./glossary";
import { FEATURES, scoresOfTiles, useShown } from "./model";
import {
  decode,
  draw,
  foreground,
  type Layer,
  LAYERS,
  type Look,
  meanColor,
  type Pixels,
  shares,
  sharesOfTwo,
} from "./pictures";
import { Figure, Wide } from "./plots";

/** Why a tile is shown, at most. */
const REASONS = 4;
const NO_SHIFT = { scale: 1, x: 0, y: 0 };
type Shift = typeof NO_SHIFT;
/** Pixels that a pointer may move between its press and its release in a click. */
const STILL = 4;
const LAYER_WORDS: Record<Layer, string> = {
  image: "image",
  filtered: "filtered",
  probability: "probability",
  mask: "mask",
  truth: "truth",
  overlay: "overlay",
  versus: "one method against the other",
};
/** Layers that are the same for all methods. */
const SHARED: Layer[] = ["image", "truth", "versus"];

interface TileProps {
  tile: Tile;
  /** Whether there is no other. */
  isOne: boolean;
  previous: () => void;
  next: () => void;
}

export function TileView({ tile, isOne, previous, next }: TileProps) {
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
  const bar = useRef<HTMLDivElement>(null);

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
  const look: Look = { colors, mask, shown: classes, versus: versusColors(mean), alpha: palette === "published" ? data.alpha : 0.7 };
  const methods = b ? [a, b] : [a];
  const available = LAYERS.filter(
    (layer) => pack && methods.some((name) => isThere(pack, tile, name, layer, b)),
  );
  const list = available.filter((layer) => layers === "all" || layers === layer || !available.includes(layers));
  const following = (layer: Layer | "all"): Layer | "all" => {
    const all = ["all", ...available] as const;
    return all[(all.indexOf(layer) + 1) % all.length]!;
  };
  const isLarge = layers !== "all" && available.includes(layers);
  useEffect(() => {
    if (!isLarge) return;
    bar.current?.scrollIntoView({ block: "start" });
    // the button that was pressed is gone
    if (document.activeElement === document.body)
      bar.current?.querySelector<HTMLElement>("#all-layers")?.focus({ preventScroll: true });
  }, [isLarge]);
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
        <Pair tile={tile} methods={methods} />
        <span>
          {!isOne && (
            <>
              <button type="button" id="previous" onClick={previous}>
                Previous
              </button>
              <button type="button" id="next" onClick={next}>
                Next
              </button>
            </>
          )}
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
          it, turn the wheel to zoom, click it to see it large.
        </p>
      )}
      {!tile.annotated && (
        <p class="untold">
          <strong>No truth here.</strong> Nobody has annotated this tile: nothing of it is scored, and nothing says
          where a mask is right.
        </p>
      )}
      {tile.why && data.decision && (
        <p class="why">
          <strong>Why {data.decision.method} scores as it does here:</strong> {tile.why}.
        </p>
      )}
      <div class="controls" ref={bar}>
        <span>
          <label>
            Layer{" "}
            <select
              id="layer"
              value={isLarge ? layers : "all"}
              onChange={(event) => setLayers(event.currentTarget.value as Layer | "all")}
            >
              <option value="all">all</option>
              {available.map((layer) => (
                <option key={layer} value={layer}>
                  {LAYER_WORDS[layer]}
                </option>
              ))}
            </select>
          </label>
          {isLarge && (
            <button type="button" id="all-layers" onClick={() => setLayers("all")}>
              All layers
            </button>
          )}
        </span>
        <span role="group" aria-label="Zoom">
          <button type="button" id="zoom-out" aria-label="Zoom out" onClick={() => setShift(zoomed(shift, 1 / 1.5))}>
            −
          </button>
          <output id="zoom">{Math.round(100 * shift.scale)}%</output>
          <button type="button" id="zoom-in" aria-label="Zoom in" onClick={() => setShift(zoomed(shift, 1.5))}>
            +
          </button>
          <button type="button" id="zoom-reset" onClick={() => setShift(NO_SHIFT)}>
            Reset
          </button>
        </span>
      </div>
      {(!isLarge || layers === "overlay") && (
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
        </fieldset>
      )}
      {available.includes("versus") && (!isLarge || layers === "versus") && (
        <p class="classes">
          <span>{LAYER_WORDS.versus}</span>
          {VERSUS.map((part) => (
            <span key={part}>
              <span class="swatch" style={{ background: `rgb(${look.versus[part].join(" ")})` }} />{" "}
              {part === "both" ? "both" : `only ${part === "a" ? a : b}`}
            </span>
          ))}
          <span>neither: the image alone</span>
        </p>
      )}
      {error && <p class="warning">{error}</p>}
      {tile.pack === null && (
        <p class="note">
          There are no full pictures of this tile in the report: it has those of the worst, the best, the most
          disputed and some random tiles. <code>report.tiles</code> in the configuration asks for more.
        </p>
      )}
      {pack && (
        <Panes
          {...{ pack, tile, look, shift, setShift, isLarge }}
          methods={methods}
          layers={list}
          enlarge={(layer) => setLayers(layer)}
        />
      )}
      {tile.annotated && <Numbers tile={tile} methods={methods} />}
      <Quality tile={tile} />
      {!isOne && tile.reasons.length > 0 && (
        <p class="note">
          Shown as: {tile.reasons.slice(0, REASONS).join("; ")}
          {tile.reasons.length > REASONS && ` and ${tile.reasons.length - REASONS} more`}.
        </p>
      )}
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
function sourcesOf(pack: Pack, tile: Tile, method: string, layer: Layer, b: string): Sources {
  const codes = pack.codes[method];
  const others = pack.codes[b];
  if (layer === "image") return [pack.image];
  if (layer === "filtered") return [pack.filtered[pack.method_filter[method] ?? ""]];
  if (layer === "probability") return [pack.probability[method]];
  if (layer === "versus") return method !== b && codes && others ? [pack.image, codes, others] : [];
  if (layer === "mask" || (layer === "truth" && tile.annotated)) return [undefined, codes];
  return layer === "overlay" && codes ? [pack.image, codes] : [];
}

type Sources = [ground?: Picture, codes?: Picture, others?: Picture];

const isThere = (...of: Parameters<typeof sourcesOf>) => sourcesOf(...of).some(Boolean);

const zoomed = (shift: Shift, by: number): Shift => {
  const scale = Math.min(Math.max(shift.scale * by, 1), 32);
  return scale === 1 ? NO_SHIFT : { ...shift, scale };
};

/** What is compared, with the scores of this tile: the selectors may be out of sight. */
function Pair({ tile, methods }: { tile: Tile; methods: string[] }) {
  const { data, metric } = useShown();
  return (
    <p class="pair">
      {methods.map((method, i) => (
        <Fragment key={method}>
          {i > 0 && " beside "}
          <strong>{method}</strong>
          {tile.annotated && ` ${metric.label} ${short(scoresOfTiles(data, method, metric.name)[tile.index] ?? null)}`}
        </Fragment>
      ))}
    </p>
  );
}

interface PanesProps {
  pack: Pack;
  tile: Tile;
  methods: string[];
  layers: Layer[];
  look: Look;
  shift: Shift;
  setShift: (shift: Shift) => void;
  /** Whether one layer is shown, as large as there is room. */
  isLarge: boolean;
  enlarge: (layer: Layer) => void;
}

/** Pictures of one method in a row; of two, what they share in a row of its own. */
function Panes({ methods, layers, ...common }: PanesProps) {
  const { pack, tile, isLarge } = common;
  const b = methods[1] ?? "";
  const without = methods.filter((method) => !pack.codes[method]);
  const pane = (layer: Layer, method: string) => {
    const sources = sourcesOf(pack, tile, method, layer, b);
    if (!sources.some(Boolean)) return null;
    return <Pane key={`${layer} ${method}`} {...common} {...{ layer, sources, method, b }} />;
  };
  const row = (name: string, shown: ComponentChildren, columns: number) => (
    <div class="panes" role="group" aria-label={name} key={name}>
      <h4>{name}</h4>
      <div class="row" style={{ "--layers": columns }}>
        {shown}
      </div>
    </div>
  );
  // with a picture of truth for each method that has labels, the first is as good as any
  const first = (layer: Layer) => methods.find((one) => isThere(pack, tile, one, layer, b)) ?? methods[0]!;
  const shared = layers.filter((layer) => SHARED.includes(layer));
  const own = layers.filter((layer) => !SHARED.includes(layer));
  return (
    <div class={isLarge ? "large" : ""}>
      {methods.length === 1 && row(methods[0]!, layers.map((layer) => pane(layer, first(layer))), layers.length)}
      {methods.length > 1 && shared.length > 0 &&
        row(isLarge ? methods.join(" and ") : "The tile", shared.map((layer) => pane(layer, first(layer))), isLarge ? 1 : 3)}
      {methods.length > 1 && own.length > 0 && isLarge &&
        row(methods.join(" and "), methods.flatMap((method) => own.map((layer) => pane(layer, method))), 2)}
      {methods.length > 1 && own.length > 0 && !isLarge &&
        methods.map((method) => row(method, own.map((layer) => pane(layer, method)), Math.max(own.length, 3)))}
      {without.map((method) => (
        <p class="note" key={method}>
          No mask of {method} on this tile.
          {!tile.annotated && (
            <>
              {" "}
              With <code>apply: all</code> in the configuration, all methods segment all tiles.
            </>
          )}
        </p>
      ))}
    </div>
  );
}

interface PaneProps extends Omit<PanesProps, "pack" | "layers" | "methods"> {
  layer: Layer;
  sources: Sources;
  method: string;
  b: string;
}

function Pane({ tile, method, b, layer, sources, look, shift, setShift, isLarge, enlarge }: PaneProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState("");
  const drag = useRef<{ x: number; y: number } | null>(null);
  const moved = useRef(0);
  const { data, metric } = useShown();
  useEffect(() => {
    let isGone = false;
    const read = (picture: Picture | undefined): Promise<Pixels | null> =>
      picture ? decode(picture) : Promise.resolve(null);
    void Promise.all(Array.from({ length: 3 }, (_, i) => read(sources[i]))).then(
      ([image = null, labels = null, others = null]) => {
        if (isGone || !canvas.current) return;
        draw(canvas.current, layer, image, labels, look, others);
        if (layer === "versus" && labels && others) {
          const found = sharesOfTwo(labels, others);
          setWords(`: ${percent(found.a)} is only of ${method}, ${percent(found.b)} only of ${b}, ${percent(found.both)} of both`);
        } else if (layer === "overlay" && labels && look.mask) setWords(`: ${percent(foreground(labels))} is foreground`);
        else if (layer === "overlay" && labels) {
          const { tp, fp, fn } = shares(labels);
          setWords(`: of what was scored ${percent(tp)} is found, ${percent(fp)} wrong, ${percent(fn)} missed`);
        }
      },
    );
    return () => {
      isGone = true;
    };
  }, [...Array.from({ length: 3 }, (_, i) => sources[i]), layer, JSON.stringify(look)]);
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
  const isShared = SHARED.includes(layer);
  const name =
    layer === "versus"
      ? `${method} against ${b}`
      : layer === "overlay" && !tile.annotated
        ? "mask over the image"
        : LAYER_WORDS[layer];
  const own = isShared ? "" : ` of ${method}`;
  const known = tile.annotated ? `, ${metric.label} ${short(score)}` : ", without truth";
  const detail = layer === "overlay" ? known + words : layer === "versus" ? words : "";
  const description = `${name}${own}, ${tile.sample} ${tile.name}${detail}`;
  const move = (event: PointerEvent) => {
    if (!drag.current || !frame.current) return;
    const side = frame.current.clientWidth;
    const [right, down] = [event.clientX - drag.current.x, event.clientY - drag.current.y];
    moved.current += Math.abs(right) + Math.abs(down);
    drag.current = { x: event.clientX, y: event.clientY };
    setShift({ ...shift, x: shift.x + right / side, y: shift.y + down / side });
  };
  return (
    <figure class="pane" style={isLarge ? { "--aspect": tile.width / tile.height } : undefined}>
      <div
        class={isLarge ? "frame" : "frame small"}
        ref={frame}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY };
          moved.current = 0;
          (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
        }}
        onPointerMove={move}
        onPointerUp={() => (drag.current = null)}
        onPointerCancel={() => (drag.current = null)}
        onClick={() => !isLarge && moved.current < STILL && enlarge(layer)}
        onDblClick={() => isLarge && setShift(shift.scale === 1 ? zoomed(shift, 4) : NO_SHIFT)}
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
          {isLarge && own}
        </span>
        {layer === "probability" && (
          <span class="legend">
            0 <span class="ramp" aria-hidden="true" /> 1
          </span>
        )}
        {!isLarge && (
          <button type="button" class="enlarge" aria-label={`Enlarge ${name}${own}`} onClick={() => enlarge(layer)}>
            Enlarge
          </button>
        )}
      </figcaption>
    </figure>
  );
}

/** Scores of the tile: the metric of the decision and the counts come first. */
function Numbers({ tile, methods }: { tile: Tile; methods: string[] }) {
  const { data, metrics } = useShown();
  const others = [...metrics.keys()].filter((name) => name !== data.metric);
  const value = (method: string, name: string) => scoresOfTiles(data, method, name)[tile.index] ?? null;
  return (
    <Wide label="Scores of the tile">
      <table>
        <thead>
          <tr>
            <th scope="col">method</th>
            <th scope="col" class="number deciding">
              {metrics.get(data.metric)?.label} <small>decides</small>
            </th>
            {COUNTS.map((name) => (
              <th scope="col" class="number" key={name}>
                {name.toUpperCase()}
              </th>
            ))}
            {others.map((name) => (
              <th scope="col" class="number" key={name}>
                {metrics.get(name)?.label}
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
              <td class="number deciding">{short(value(method, data.metric))}</td>
              {COUNTS.map((name) => (
                <td class="number" key={name}>
                  {count(value(method, name))}
                </td>
              ))}
              {others.map((name) => (
                <td class="number" key={name}>
                  {short(value(method, name))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
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
