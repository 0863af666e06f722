// One picture, or two side by side that move in step.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Known } from "./keys";
import { contrastOf, type Entry } from "./layers";
import { type Drawn, Pane, type Scene, type Value } from "./pane";
import type { Damage } from "./pyramid";

/** Where the cursor is, in px of the sample, and what is there in each picture. */
export interface Cursor {
  x: number;
  y: number;
  values: Value[][];
}

interface StageProps {
  known: Known;
  damages: Damage[];
  /** Counts up when all is to be asked for again. */
  attempt: number;
  cursor: Cursor | null;
  setCursor: (cursor: Cursor | null) => void;
  onTile: (name: string) => void;
  onTrouble: (error: unknown) => void;
}

function sceneOf({ looked, entries }: Known, method: string): Scene {
  const { sample, plane, shown, contrasts, map, hidden, colors } = looked;
  const drawn = (entry: Entry): Drawn[] => {
    const layer = entry.of(method);
    const opacity = shown[entry.key];
    if (!layer || opacity === undefined) return [];
    const settings = {
      contrast: contrastOf(layer, contrasts, entry.key),
      map: layer.role === "probability" ? ("viridis" as const) : map,
      hidden: new Set(hidden[entry.key] ?? []),
      colors: colors[entry.key] ?? {},
    };
    return [{ key: entry.key, layer, opacity, settings }];
  };
  return { sample, plane, drawn: entries.flatMap(drawn) };
}

export function Stage({ known, damages, attempt, cursor, setCursor, onTile, onTrouble }: StageProps) {
  const { looked, view, pyramidOf, tiles, tile } = known;
  const pictures = useRef<(HTMLDivElement | null)[]>([]);
  const panes = useRef<Pane[]>([]);
  // what listeners see, however long ago they were made
  const now = useRef({ known, damages });
  now.current = { known, damages };
  const methods = looked.beside ? [looked.method, looked.beside] : [looked.method];

  const point = useRef<{ x: number; y: number } | null>(null);
  const frame = useRef(0);
  const look = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const at = point.current;
      setCursor(at && { ...at, values: panes.current.map((pane) => pane.valuesAt(at)) });
      const under = at && tileAt(now.current.known, at);
      if (under) onTile(under.tile);
    });
  };

  useLayoutEffect(
    () => () => {
      for (const pane of panes.current) pane.dispose();
      panes.current = [];
      point.current = null;
    },
    [view],
  );
  useLayoutEffect(() => {
    const make = (element: HTMLElement) =>
      new Pane(element, view, looked.sample, pyramidOf, {
        onPoint: (at) => {
          point.current = at;
          look();
        },
        onTrouble,
        onStep: (planes) => now.current.known.step(planes),
        onSettled: () => {
          for (const pane of panes.current) pane.showDamage(now.current.damages);
          if (point.current) look();
        },
      });
    // the first stays while the second comes and goes
    for (const pane of panes.current.splice(methods.length)) pane.dispose();
    for (const element of pictures.current.slice(panes.current.length, methods.length)) {
      if (element) panes.current.push(make(element));
    }
  }, [view, methods.length]);

  useLayoutEffect(() => {
    panes.current.forEach((pane, i) => pane.show(sceneOf(known, methods[i]!)));
  }, [view, looked, known.entries]);
  useEffect(() => {
    for (const pane of panes.current) pane.showDamage(damages);
  }, [damages, view, looked]);
  useEffect(() => {
    if (attempt) for (const pane of panes.current) pane.reload();
  }, [attempt]);
  useEffect(() => {
    for (const pane of panes.current) pane.showTiles(tiles);
  }, [tiles, view, methods.length]);
  useEffect(() => {
    for (const pane of panes.current) pane.showBorders(looked.hasBorders);
  }, [looked.hasBorders, view, methods.length]);
  useEffect(() => {
    for (const pane of panes.current) pane.mark(tile);
  }, [tile, view, methods.length]);
  useEffect(() => {
    panes.current.forEach((pane) => pane.cross(methods.length > 1 ? cursor : null));
  }, [cursor, methods.length]);

  return (
    <div class="pictures">
      {methods.map((method, i) => (
        <figure key={i} class="pane" aria-label={describe(known, method)}>
          <div
            class="picture"
            onPointerDown={takeKeys}
            ref={(element) => {
              pictures.current[i] = element;
            }}
          />
          {method && <figcaption>{method}</figcaption>}
        </figure>
      ))}
    </div>
  );
}

export function tileAt({ tiles }: Known, { x, y }: { x: number; y: number }) {
  return tiles.find((one) => x >= one.x && y >= one.y && x < one.x + one.width && y < one.y + one.height) ?? null;
}

function describe({ looked, entries }: Known, method: string) {
  const titles = entries.filter(({ key, of }) => key in looked.shown && of(method)).map(({ title }) => title);
  const of = method ? ` by ${method}` : "";
  return `${looked.sample.sample}, plane ${looked.plane}${of}: ${titles.join(", ") || "no layer"}`;
}

/** Keys are for the picture that was clicked, and no longer for a field. */
function takeKeys() {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}
