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
  /** Pixels between equal steps of the range. */
  counts: number[];
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
  const counts = new Array<number>(BINS).fill(0);
  const width = range[1] - range[0] || 1;
  for (const value of values) {
    const bin = Math.min(Math.floor(((value - range[0]) / width) * BINS), BINS - 1);
    counts[bin]! += 1;
  }
  const auto: Contrast = [at(CUT), at(1 - CUT)];
  return { range, auto: auto[0] < auto[1] ? auto : range, counts };
}
