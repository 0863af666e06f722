// Colours: of metrics, and of where a method is right and wrong.

import { scale as scaleOf } from "@observablehq/plot";
import type { Data, Metric, Value } from "./data";

export type Rgb = [number, number, number];
export const CLASSES = ["tp", "fp", "fn", "tn"] as const;
export type Class = (typeof CLASSES)[number];
export type Palette = Record<Class, Rgb>;
export const CLASS_WORDS: Record<Class, string> = {
  tp: "right: foreground",
  fp: "wrong: only in the mask",
  fn: "wrong: missed",
  tn: "right: background",
};

// of Okabe and Ito, told apart with every kind of colour vision, for pictures that hide those of the data
const OTHERS: Palette[] = [
  { tp: [0, 114, 178], fp: [230, 159, 0], fn: [255, 255, 255], tn: [0, 0, 0] },
  { tp: [0, 158, 115], fp: [204, 121, 167], fn: [240, 228, 66], tn: [0, 0, 0] },
  { tp: [86, 180, 233], fp: [0, 0, 0], fn: [255, 255, 255], tn: [0, 0, 0] },
];

/** Of Okabe and Ito, and darker ones: of methods in a plot, which also differ in their symbols. */
export const DISTINCT = [
  ...["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8a7a00", "#7f7f7f"],
  ...["#6a4fc4", "#a03060", "#3f9142", "#44aa99", "#c9b23c", "#7fa3d1"],
];

/** Colours of the published work, or those of the safe ones that are seen best on a picture. */
export function palette(data: Data, name: string, mean: Rgb | null): Palette {
  const own = data.label_colors[name === "published" ? "published" : "safe"] as Palette;
  if (name === "published" || !mean) return own;
  const worst = (one: Palette) =>
    Math.min(...(["tp", "fp", "fn"] as const).map((label) => distance(one[label], mean)));
  // the first, unless another is seen far better
  return OTHERS.reduce((best, one) => (worst(one) > worst(best) * 1.25 ? one : best), own);
}

// those of Okabe and Ito that no class has, and white
const OF_MASKS: Rgb[] = [
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [255, 255, 255],
];

/** Of a mask that nothing is known of: what is seen best on a picture, and is none of the classes. */
export function maskColor(mean: Rgb | null): Rgb {
  if (!mean) return OF_MASKS[0]!;
  return OF_MASKS.reduce((best, one) => (distance(one, mean) > distance(best, mean) * 1.25 ? one : best));
}

/** How far colours are apart, for the eye (the approximation called redmean). */
function distance(a: Rgb, b: Rgb): number {
  const red = (a[0] + b[0]) / 2;
  const [r, g, blue] = a.map((value, i) => value - b[i]!) as Rgb;
  return Math.sqrt((2 + red / 256) * r * r + 4 * g * g + (2 + (255 - red) / 256) * blue * blue);
}

/** From 0 to 1 where a value lies among others, 1 being the better end where there is one. */
export function scale(values: Value[], metric?: Metric): (value: Value) => number {
  const known = values.filter((value): value is number => value !== null);
  const [least, greatest] = extent(known);
  const width = greatest - least;
  const isReversed = metric ? !metric.higher_is_better : false;
  return (value) => {
    if (value === null || !width) return 0.5;
    const share = (value - least) / width;
    return isReversed ? 1 - share : share;
  };
}

export function extent(values: number[]): [number, number] {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return values.length ? [least, greatest] : [0, 0];
}

const viridis = scaleOf({ color: { type: "linear", scheme: "viridis", domain: [0, 1] } })!;
export const sequential = (share: number) => viridis.apply(0.08 + 0.9 * share) as string;

/** Red, green and blue of `sequential`, of 0 to 255 for 0 to 1. */
export const sequentialBytes = (): Rgb[] =>
  Array.from({ length: 256 }, (_, i) => {
    const color = Number.parseInt(sequential(i / 255).slice(1), 16);
    return [color >> 16, (color >> 8) & 255, color & 255];
  });

/** Of a method against another: where one alone, or both, have foreground. */
export const VERSUS = ["a", "b", "both"] as const;
export type Versus = Record<(typeof VERSUS)[number], Rgb>;

// of Okabe and Ito, and white
const OF_VERSUS: Versus[] = [
  { a: [86, 180, 233], b: [213, 94, 0], both: [0, 158, 115] },
  { a: [230, 159, 0], b: [0, 114, 178], both: [255, 255, 255] },
  { a: [86, 180, 233], b: [255, 255, 255], both: [0, 0, 0] },
];

/** Those that are seen best on a picture. */
export function versusColors(mean: Rgb | null): Versus {
  if (!mean) return OF_VERSUS[0]!;
  const worst = (one: Versus) => Math.min(...VERSUS.map((part) => distance(one[part], mean)));
  return OF_VERSUS.reduce((best, one) => (worst(one) > worst(best) * 1.25 ? one : best));
}

const puOr = scaleOf({ color: { type: "linear", scheme: "PuOr", domain: [0, 1] } })!;
/** Colours to both sides of a middle, which is 0.5. */
export const diverging = (share: number) => puOr.apply(0.1 + 0.8 * share) as string;

/** A colour of a value, and what is read on it. */
export interface Shade {
  background: string;
  color: string;
}
export type Coloring = (value: Value) => Shade | undefined;

/** Colours of values: of differences, white is zero; of others, the bright end is the better one. */
export function coloring(values: Value[], metric: Metric | undefined, isDifference: boolean): Coloring {
  if (!isDifference) {
    const share = scale(values, metric);
    return (value) => {
      if (value === null) return undefined;
      const own = share(value);
      return { background: sequential(own), color: ink(own) };
    };
  }
  const most = furthest(values);
  return (value) => {
    if (value === null) return undefined;
    const share = most ? 0.5 + value / most / 2 : 0.5;
    return { background: diverging(share), color: share < 0.1 || share > 0.9 ? "#fff" : "#000" };
  };
}

/** How far from zero values get. */
export const furthest = (values: Value[]): number =>
  values.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);

/** Black or white: what is read on a colour of `sequential`. */
export const ink = (share: number) => (share > 0.47 ? "#000" : "#fff");
