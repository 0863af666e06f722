// Which values an image has: of the plane as a whole, at its most reduced level.

import type { Contrast } from "./look";
import { NOT_A_NUMBER, picture, type Pyramid } from "./pyramid";
import type { Sample } from "./server";

const BINS = 64;
/** Of the pixels, that are black and white with automatic contrast. */
const CUT = 0.0035;

export interface Histogram {
  /** The lowest and the highest value. */
  range: Contrast;
  /** The contrast at which little is cut off. */
  auto: Contrast;
  /** Pixels from one step to the next, of the range and on. */
  counts: number[];
  step: number;
}

export async function histogramOf(pyramid: Pyramid, sample: Sample, plane: number): Promise<Histogram | null> {
  const level = pyramid.layer.levels - 1;
  const [height, width] = [sample.height, sample.width].map((size) => Math.ceil(size / 2 ** level)) as [number, number];
  const window = {
    plane: sample.first_plane + plane,
    rows: [0, height] as [number, number],
    columns: [0, width] as [number, number],
  };
  const values = (await picture(pyramid, level, window, [width, height])).filter((value) => value !== NOT_A_NUMBER);
  return values.length ? summed(values) : null;
}

export function summed(values: Uint8Array | Float32Array): Histogram {
  const sorted = values.slice().sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const range: Contrast = [at(0), at(1)];
  const width = range[1] - range[0] || 1;
  // steps of whole numbers have as many of them each
  const isWhole = values instanceof Uint8Array || values.every(Number.isInteger);
  const step = isWhole ? Math.ceil((width + 1) / BINS) : width / BINS;
  const counts = new Array<number>(isWhole ? Math.ceil((width + 1) / step) : BINS).fill(0);
  for (const value of values) counts[Math.min(Math.floor((value - range[0]) / step), counts.length - 1)]! += 1;
  const auto: Contrast = [at(CUT), at(1 - CUT)];
  return { range, auto: auto[0] < auto[1] ? auto : range, counts, step };
}
