// Beside the picture: methods, layers with their colours, and the tile under the cursor.

import { useEffect, useState } from "preact/hooks";
import { short } from "../format";
import { type Histogram, histogramOf } from "./histogram";
import { type Known, listed, toggle } from "./keys";
import { contrastOf, type Entry } from "./layers";
import { COLOR_MAP_WORDS, COLOR_MAPS, type ColorMap, type Contrast, gradient } from "./look";
import type { Layer } from "./server";

export function Panel({ known }: { known: Known }) {
  return (
    <aside class="panel" aria-label="What is shown">
      {known.methods.length > 0 && <Methods known={known} />}
      <section aria-labelledby="layers">
        <h2 id="layers">Layers</h2>
        <ul class="layers">
          {listed(known.entries).map((entry, i) => (
            <Row key={entry.key} {...{ known, entry }} number={i + 1} />
          ))}
        </ul>
        <label class="borders">
          <input
            type="checkbox"
            id="borders"
            checked={known.looked.hasBorders}
            onChange={(event) => known.change({ hasBorders: event.currentTarget.checked })}
          />{" "}
          Borders of tiles
        </label>
      </section>
      <TileFacts known={known} />
    </aside>
  );
}

function Methods({ known: { looked, change, methods } }: { known: Known }) {
  const { method, beside } = looked;
  return (
    <section class="methods" aria-labelledby="methods">
      <h2 id="methods">Methods</h2>
      <label>
        <span>Method</span>
        <select
          id="method"
          value={method}
          onChange={(event) => {
            const next = event.currentTarget.value;
            change({ method: next, beside: beside === next ? method : beside });
          }}
        >
          {methods.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {methods.length > 1 && (
        <label>
          <span>Beside</span>
          <select id="beside" value={beside} onChange={(event) => change({ beside: event.currentTarget.value })}>
            <option value="">none</option>
            {methods
              .filter((name) => name !== method)
              .map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
          </select>
        </label>
      )}
    </section>
  );
}

function Row({ known, entry, number }: { known: Known; entry: Entry; number: number }) {
  const { looked, change } = known;
  const layer = entry.of(looked.method) ?? (looked.beside ? entry.of(looked.beside) : undefined);
  const opacity = looked.shown[entry.key];
  const isShown = opacity !== undefined;
  return (
    <li data-layer={entry.key} class={isShown ? "shown" : undefined}>
      <div class="head">
        <label>
          <input
            type="checkbox"
            checked={isShown}
            disabled={!layer}
            onChange={() => toggle(known, entry)}
          />{" "}
          {entry.title}
        </label>
        {number < 10 && <kbd title="Key that switches it">{number}</kbd>}
      </div>
      {!layer && <small>none of {looked.method}</small>}
      {isShown && layer && (
        <>
          <label class="opacity">
            <span class="unseen">Opacity of {entry.title}</span>
            <input
              type="range"
              min={0}
              max={100}
              value={Math.round(100 * opacity)}
              onInput={(event) =>
                change({ shown: { ...looked.shown, [entry.key]: event.currentTarget.valueAsNumber / 100 } })
              }
            />
            <output>{Math.round(100 * opacity)}%</output>
          </label>
          {layer.colors ? (
            <Legend {...{ known, entry, layer }} />
          ) : layer.role === "probability" ? (
            <p class="scale">
              0 <span class="ramp" style={{ background: gradient("viridis") }} /> 1
            </p>
          ) : (
            <ContrastOf {...{ known, entry, layer }} />
          )}
        </>
      )}
    </li>
  );
}

const hexOf = (rgba: readonly number[]) =>
  rgba
    .slice(0, 3)
    .map((value) => value.toString(16).padStart(2, "0"))
    .join("");

/** The colours of labels: a click on a name hides it, one on its colour changes that. */
function Legend({ known: { looked, change }, entry, layer }: { known: Known; entry: Entry; layer: Layer }) {
  const hidden = looked.hidden[entry.key] ?? [];
  const chosen = looked.colors[entry.key] ?? {};
  const toggleValue = (value: number) => {
    const now = hidden.includes(value) ? hidden.filter((one) => one !== value) : [...hidden, value];
    change({ hidden: { ...looked.hidden, [entry.key]: now } });
  };
  const setColors = (now: Record<number, string>) => change({ colors: { ...looked.colors, [entry.key]: now } });
  return (
    <>
      <ul class="legend" aria-label={`Colours of ${entry.title}`}>
        {layer.colors!.map(({ value, rgba, label }) => (
          <li key={value}>
            {rgba[3] ? (
              <>
                <input
                  type="color"
                  class="swatch"
                  aria-label={`Colour of ${label}, ${entry.title}`}
                  value={`#${chosen[value] ?? hexOf(rgba)}`}
                  onInput={(event) => setColors({ ...chosen, [value]: event.currentTarget.value.slice(1) })}
                />
                <button
                  type="button"
                  aria-pressed={!hidden.includes(value)}
                  title={hidden.includes(value) ? "Show" : "Hide"}
                  onClick={() => toggleValue(value)}
                >
                  {label}
                </button>
              </>
            ) : (
              <span class="clear" title="See-through">
                <span class="swatch" />
                {label}
              </span>
            )}
          </li>
        ))}
      </ul>
      {Object.keys(chosen).length > 0 && (
        <p class="buttons">
          <button type="button" onClick={() => setColors({})}>
            Own colours
          </button>
        </p>
      )}
    </>
  );
}

/** Steps of a slider of values that are no whole numbers. */
const STEPS = 256;

function ContrastOf({ known, entry, layer }: { known: Known; entry: Entry; layer: Layer }) {
  const { looked, change, pyramidOf, contents } = known;
  const { sample, plane, contrasts, map } = looked;
  const [histogram, setHistogram] = useState<Histogram | null>(null);
  useEffect(() => {
    let isGone = false;
    setHistogram(null);
    // the picture tells what goes wrong
    histogramOf(pyramidOf(layer), sample, plane).then((found) => !isGone && setHistogram(found), () => {});
    return () => {
      isGone = true;
    };
  }, [layer, sample, contents]);

  const contrast = contrastOf(layer, contrasts, entry.key);
  const [low, high] = contrast;
  const isWhole = !layer.dtype.startsWith("float");
  const values = [...(layer.window ?? []), ...(histogram?.range ?? []), ...contrast];
  const range: Contrast = layer.dtype === "uint8" ? [0, 255] : [Math.min(...values), Math.max(...values)];
  const step = isWhole ? 1 : (range[1] - range[0]) / STEPS || 1;
  const set = (next: Contrast) => {
    if (next[0] < next[1]) change({ contrasts: { ...contrasts, [entry.key]: next } });
  };
  const reset = () => {
    const others = { ...contrasts };
    delete others[entry.key];
    change({ contrasts: others });
  };
  const ends = [
    { name: "Black", value: low, to: (value: number): Contrast => [Math.min(value, high - step), high] },
    { name: "White", value: high, to: (value: number): Contrast => [low, Math.max(value, low + step)] },
  ];
  return (
    <div class="contrast">
      <Bars {...{ histogram, range, contrast }} map={layer.role === "color" ? "grey" : map} />
      {ends.map(({ name, value, to }) => (
        <label key={name}>
          <span>{name}</span>
          <input
            type="range"
            aria-label={`${name} of ${entry.title}`}
            min={range[0]}
            max={range[1]}
            step={isWhole ? 1 : "any"}
            value={value}
            onInput={(event) => set(to(event.currentTarget.valueAsNumber))}
          />
          <input
            type="number"
            aria-label={`${name} of ${entry.title}, as a number`}
            step={isWhole ? 1 : "any"}
            value={isWhole ? value : Number(value.toPrecision(4))}
            onChange={(event) => {
              const given = event.currentTarget.valueAsNumber;
              if (Number.isFinite(given)) set(to(given));
            }}
          />
        </label>
      ))}
      <p class="buttons">
        <button type="button" disabled={!histogram} onClick={() => histogram && set(histogram.auto)}>
          Auto
        </button>
        <button type="button" disabled={!(entry.key in contrasts)} onClick={reset}>
          Reset
        </button>
        {layer.role !== "color" && (
          <label>
            <span class="unseen">Colours of images</span>
            <select
              class="map"
              value={map}
              onChange={(event) => change({ map: event.currentTarget.value as ColorMap })}
            >
              {COLOR_MAPS.map((name) => (
                <option key={name} value={name}>
                  {COLOR_MAP_WORDS[name]}
                </option>
              ))}
            </select>
          </label>
        )}
      </p>
    </div>
  );
}

interface BarsProps {
  histogram: Histogram | null;
  /** Of the axis. */
  range: Contrast;
  contrast: Contrast;
  map: ColorMap;
}

/** How often values are, with the colours that they get under it. */
function Bars({ histogram, range, contrast, map }: BarsProps) {
  const width = range[1] - range[0] || 1;
  const at = (value: number) => Math.min((100 * (value - range[0])) / width, 100);
  const counts = histogram?.counts ?? [];
  const most = Math.sqrt(Math.max(...counts, 1));
  const step = histogram?.step ?? 0;
  const outline = counts.flatMap((count, i) => {
    const x = at(histogram!.range[0] + i * step);
    const y = 40 - (38 * Math.sqrt(count)) / most;
    return [`${x},${y}`, `${at(histogram!.range[0] + (i + 1) * step)},${y}`];
  });
  const [low, high] = [at(contrast[0]), at(contrast[1])];
  return (
    <div class="bars">
      <svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="How often values are, square root">
        {outline.length > 0 && (
          <polygon points={[`${at(histogram!.range[0])},40`, ...outline, `${at(histogram!.range[0] + counts.length * step)},40`].join(" ")} />
        )}
        <line x1={low} x2={low} y1={0} y2={40} />
        <line x1={high} x2={high} y1={0} y2={40} />
      </svg>
      <div class="under" style={{ background: gradient(map), left: `${low}%`, right: `${100 - high}%` }} />
    </div>
  );
}

function TileFacts({ known: { tile, looked, methods, tiles, stepTile } }: { known: Known }) {
  const shown = looked.beside ? [looked.method, looked.beside] : [looked.method];
  const names = [...new Set(shown.flatMap((method) => Object.keys(tile?.scores[method] ?? {})))];
  const thresholds = Object.entries(tile?.thresholds ?? {}).filter(
    ([name, value]) => value !== null && (shown.includes(name) || !methods.includes(name)),
  );
  return (
    <section class="tile" aria-labelledby="tile">
      <h2 id="tile">
        Tile {tile && <code>{tile.tile}</code>}
      </h2>
      <p class="buttons">
        <button type="button" disabled={!tiles.length} onClick={() => stepTile(-1)}>
          Previous
        </button>
        <button type="button" disabled={!tiles.length} onClick={() => stepTile(1)}>
          Next
        </button>
      </p>
      {!tile && <p class="soft">Move the cursor over a tile to see what is known of it.</p>}
      {tile && (
        <>
          <dl class="facts">
            <div>
              <dt>Size</dt>
              <dd>
                {tile.width} × {tile.height} px
              </dd>
            </div>
            {tile.trust !== null && (
              <div>
                <dt>Trust</dt>
                <dd>{short(tile.trust, 2)}</dd>
              </div>
            )}
            {tile.flags.length > 0 && (
              <div>
                <dt>Flags</dt>
                <dd>{tile.flags.join(", ")}</dd>
              </div>
            )}
            {thresholds.map(([name, value]) => (
              <div key={name}>
                <dt>Threshold, {name}</dt>
                <dd>{[value].flat().map((one) => short(one, 1)).join(", ")}</dd>
              </div>
            ))}
          </dl>
          {names.length > 0 ? (
            <div class="wide">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Score</th>
                    {shown.map((method) => (
                      <th scope="col" key={method}>
                        {method}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {names.map((name) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      {shown.map((method) => (
                        <td key={method}>{short(tile.scores[method]?.[name])}</td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <p class="soft">It is not annotated, so that nothing of it is scored.</p>
          )}
        </>
      )}
    </section>
  );
}
