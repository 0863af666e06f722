// What the parts of the page share, and the keys that do it too.

import type View from "ol/View";
import { useEffect, useState } from "preact/hooks";
import type { Looked } from "./address";
import { type Entry, OPACITY } from "./layers";
import type { Pyramid } from "./pyramid";
import type { Contents, Layer, Sample, Tile } from "./server";

export interface Known {
  contents: Contents;
  looked: Looked;
  change: (part: Partial<Looked>) => void;
  /** Layers that can be switched, the lowest first. */
  entries: Entry[];
  methods: string[];
  /** Of the plane that is shown. */
  tiles: Tile[];
  /** That is marked. */
  tile: Tile | null;
  step: (planes: number) => void;
  stepTile: (tiles: number) => void;
  goTo: (tile: Tile) => void;
  openSample: (sample: Sample) => void;
  pyramidOf: (layer: Layer) => Pyramid;
  view: View;
  /** Show all of the sample. */
  whole: () => void;
}

/** In the order in which they are listed: the highest first. */
export const listed = (entries: Entry[]) => [...entries].reverse();

export function toggle({ looked, change }: Known, { key, role }: Entry) {
  const shown = { ...looked.shown };
  if (key in shown) delete shown[key];
  else shown[key] = OPACITY[role];
  change({ shown });
}

interface Target {
  center: number[];
  resolution: number;
}

/** How long it takes to go somewhere, in ms. */
const GLIDE = 120;
let going: { view: View; target: Target; until: number } | null = null;

/** Where a view is going, or is. */
function targetOf(view: View): Target {
  if (going?.view === view && performance.now() < going.until) return going.target;
  return { center: view.getCenter() ?? [0, 0], resolution: view.getResolution() ?? 1 };
}

/** Go somewhere; keys that come meanwhile go on from there. */
export function glide(view: View, part: Partial<Target>) {
  const target = { ...targetOf(view), ...part };
  going = { view, target, until: performance.now() + GLIDE };
  view.cancelAnimations();
  view.animate({ ...target, duration: GLIDE });
}

export function zoomBy(view: View, factor: number) {
  glide(view, { resolution: targetOf(view).resolution / factor });
}

/** Of the picture, at each key. */
const PAN_SHARE = 0.2;

function pan(view: View, right: number, down: number) {
  const [x, y] = targetOf(view).center as [number, number];
  const [left, bottom, other, top] = view.calculateExtent() as [number, number, number, number];
  glide(view, { center: [x + right * PAN_SHARE * (other - left), y - down * PAN_SHARE * (top - bottom)] });
}

/** Keys, and what they do, as they are listed. */
export const KEYS: [string[], string][] = [
  [["Page Up", "Page Down"], "previous and next plane; also , and . and the wheel with Shift"],
  [["n", "p"], "next and previous tile"],
  [["1", "…", "9"], "layers on and off, from the top"],
  [["m", "M"], "next and previous method"],
  [["b"], "a second method beside it, or none"],
  [["+", "-"], "zoom; also the wheel and a double click"],
  [["0"], "the whole sample"],
  [["x"], "one px of the image on one of the screen"],
  [["t"], "borders of tiles"],
  [["←", "→", "↑", "↓"], "move"],
];

export function useKeys(known: Known) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest("select, input:not([type=checkbox]), textarea, dialog, [role=listbox]")) return;
      const act = actOf(known, event.key);
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
}

function actOf(known: Known, key: string): (() => void) | undefined {
  const { view, step, stepTile, looked, change, methods } = known;
  const number = Number(key);
  if (number >= 1 && number <= 9) {
    const entry = listed(known.entries)[number - 1];
    return entry && (() => toggle(known, entry));
  }
  const byMethod = (by: number) => () => {
    if (methods.length < 2) return;
    const at = methods.indexOf(looked.method);
    const method = methods[(at + by + methods.length) % methods.length]!;
    change({ method, beside: looked.beside === method ? looked.method : looked.beside });
  };
  const acts: Record<string, () => void> = {
    PageUp: () => step(-1),
    PageDown: () => step(1),
    ",": () => step(-1),
    ".": () => step(1),
    n: () => stepTile(1),
    p: () => stepTile(-1),
    m: byMethod(1),
    M: byMethod(-1),
    b: () => change({ beside: looked.beside ? "" : (methods.find((name) => name !== looked.method) ?? "") }),
    "+": () => zoomBy(view, 2),
    "=": () => zoomBy(view, 2),
    "-": () => zoomBy(view, 0.5),
    "0": known.whole,
    x: () => glide(view, { resolution: 1 }),
    t: () => change({ hasBorders: !looked.hasBorders }),
    ArrowLeft: () => pan(view, -1, 0),
    ArrowRight: () => pan(view, 1, 0),
    ArrowUp: () => pan(view, 0, -1),
    ArrowDown: () => pan(view, 0, 1),
  };
  return acts[key];
}

/** The resolution of a view, as it changes. */
export function useResolution(view: View): number {
  const [resolution, setResolution] = useState(view.getResolution() ?? 1);
  useEffect(() => {
    const read = () => setResolution(view.getResolution() ?? 1);
    read();
    view.on("change:resolution", read);
    return () => view.un("change:resolution", read);
  }, [view]);
  return resolution;
}
