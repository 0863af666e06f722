// Pictures on canvases: grey and colour as they are, labels in the reader's colours.

import type { Picture } from "./data";
import { CLASSES, type Class, type Palette, type Rgb, sequentialBytes, type Versus } from "./colors";

export interface Pixels {
  width: number;
  height: number;
  /** Red, green, blue and opacity. */
  data: Uint8ClampedArray;
}

const decoded = new Map<string, { pixels: Promise<Pixels>; size: number }>();
let kept = 0;
/** Pixels of decoded pictures that are kept, about those of twenty tiles in full. */
const MOST_PIXELS = 20_000_000;

/** Pixels of a data URI; the last pictures are kept. */
export function decode(picture: Picture): Promise<Pixels> {
  const known = decoded.get(picture.data);
  if (known) return known.pixels;
  const entry = { pixels: read(`data:${picture.type};base64,${picture.data}`), size: 0 };
  decoded.set(picture.data, entry);
  void entry.pixels.then(({ width, height }) => {
    entry.size = width * height;
    kept += entry.size;
    for (const [key, { size }] of decoded) {
      if (kept <= MOST_PIXELS) break;
      decoded.delete(key);
      kept -= size;
    }
  });
  return entry.pixels;
}

async function read(uri: string): Promise<Pixels> {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

export function meanColor({ data }: Pixels): Rgb {
  const sums: Rgb = [0, 0, 0];
  let pixels = 0;
  for (let i = 0; i < data.length; i += 16) {
    for (let c = 0; c < 3; c++) sums[c] = sums[c]! + data[i + c]!;
    pixels++;
  }
  return sums.map((sum) => sum / Math.max(pixels, 1)) as Rgb;
}

/** A code is mask + 2 * truth; truth is 0, 1, 2 not annotated, 3 outside of the region of interest. */
const CLASS_OF: (Class | null)[] = ["tn", "fp", "fn", "tp", null, null, null, null];
const UNKNOWN = 2;
const OUTSIDE = 3;
const HATCH_GREY = 128;

/** `versus` is of two methods, `image` and `truth` of the tile, the others of one method. */
export const LAYERS = ["image", "filtered", "probability", "mask", "truth", "overlay", "versus"] as const;
export type Layer = (typeof LAYERS)[number];
const OF_LABELS: Layer[] = ["mask", "truth", "overlay", "versus"];

export interface Look {
  colors: Palette;
  /** Of the mask, where no truth says what is right: then there are no classes. */
  mask: Rgb | null;
  shown: Record<Class, boolean>;
  versus: Versus;
  alpha: number;
}

/** Draw a layer; `ground` is the image, `codes` the labels, `others` those of a second method. */
export function draw(
  canvas: HTMLCanvasElement,
  layer: Layer,
  ground: Pixels | null,
  codes: Pixels | null,
  look: Look,
  others: Pixels | null = null,
) {
  const size = OF_LABELS.includes(layer) ? codes : ground;
  if (!size) return;
  [canvas.width, canvas.height] = [size.width, size.height];
  const context = canvas.getContext("2d")!;
  const out = context.createImageData(size.width, size.height);
  if (layer === "versus" && ground && codes && others) versus(out, ground, codes, others, look);
  else if (layer === "overlay" && ground && codes) overlay(out, ground, codes, look);
  else if ((layer === "mask" || layer === "truth") && codes) labels(out, codes, layer);
  else if (layer === "probability" && ground) probabilities(out, ground);
  else if (ground) out.data.set(ground.data);
  context.putImageData(out, 0, 0);
}

function labels(out: ImageData, codes: Pixels, layer: "mask" | "truth") {
  for (let i = 0; i < out.data.length; i += 4) {
    const code = codes.data[i]!;
    const truth = code >> 1;
    const isUnknown = layer === "truth" ? truth > 1 : truth === OUTSIDE;
    const grey = isUnknown ? 128 : 255 * (layer === "truth" ? truth & 1 : code & 1);
    out.data[i] = out.data[i + 1] = out.data[i + 2] = grey;
    out.data[i + 3] = 255;
  }
}

let ofProbability: Rgb[] | undefined;

function probabilities(out: ImageData, ground: Pixels) {
  ofProbability ??= sequentialBytes();
  for (let i = 0; i < out.data.length; i += 4) {
    out.data.set(ofProbability[ground.data[i]!]!, i);
    out.data[i + 3] = 255;
  }
}

/** Where in the image a pixel of labels is. */
function placed(out: ImageData, ground: Pixels): (i: number) => number {
  const { width, height } = out;
  if (ground.width === width && ground.height === height) return (i) => i;
  return (i) => {
    const place = i / 4;
    const x = place % width;
    const y = (place - x) / width;
    const row = Math.floor((y * ground.height) / height);
    return 4 * (row * ground.width + Math.floor((x * ground.width) / width));
  };
}

/** Whether a pixel that is not scored lies on a line of the hatching. */
function hatching({ width, height }: ImageData): (i: number) => boolean {
  const period = Math.max(8, Math.round(Math.max(width, height) / 32));
  const line = Math.max(Math.floor(period / 6), 1);
  return (i) => {
    const place = i / 4;
    const x = place % width;
    return (x + (place - x) / width) % period < line;
  };
}

/** Masks of two methods over the image; right or wrong plays no part. */
function versus(out: ImageData, ground: Pixels, codes: Pixels, others: Pixels, look: Look) {
  const from = placed(out, ground);
  const isLine = hatching(out);
  const colors = [null, look.versus.a, look.versus.b, look.versus.both];
  for (let i = 0; i < out.data.length; i += 4) {
    const code = codes.data[i]!;
    const color = colors[(code & 1) + 2 * (others.data[i]! & 1)];
    const start = from(i);
    out.data[i + 3] = 255;
    for (let c = 0; c < 3; c++) {
      const own = ground.data[start + c]!;
      if (code >> 1 === OUTSIDE) out.data[i + c] = isLine(i) ? HATCH_GREY : own / 3;
      else out.data[i + c] = color ? own * (1 - look.alpha) + color[c]! * look.alpha : own;
    }
  }
}

/** Of the pixels in the region of interest, the share that one, the other or both have as foreground. */
export function sharesOfTwo(codes: Pixels, others: Pixels): Record<keyof Versus, number> {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < codes.data.length; i += 4) {
    const code = codes.data[i]!;
    if (code >> 1 !== OUTSIDE) counts[(code & 1) + 2 * (others.data[i]! & 1)]!++;
  }
  const total = Math.max(counts.reduce((sum, pixels) => sum + pixels, 0), 1);
  return { a: counts[1]! / total, b: counts[2]! / total, both: counts[3]! / total };
}

function overlay(out: ImageData, ground: Pixels, codes: Pixels, look: Look) {
  const placeOf = placed(out, ground);
  const isLine = hatching(out);
  for (let i = 0; i < out.data.length; i += 4) {
    const from = placeOf(i);
    const code = codes.data[i]!;
    const label = CLASS_OF[code];
    const isUnknown = look.mask !== null && code >> 1 === UNKNOWN;
    out.data[i + 3] = 255;
    for (let c = 0; c < 3; c++) {
      const own = ground.data[from + c]!;
      if (isUnknown) out.data[i + c] = code & 1 ? own * (1 - look.alpha) + look.mask![c]! * look.alpha : own;
      else if (!label) out.data[i + c] = isLine(i) ? HATCH_GREY : own / 3;
      else if (!look.shown[label]) out.data[i + c] = own;
      else out.data[i + c] = own * (1 - look.alpha) + look.colors[label][c]! * look.alpha;
    }
  }
}

/** The share of a mask within the region of interest. */
export function foreground(codes: Pixels): number {
  let [mask, all] = [0, 0];
  for (let i = 0; i < codes.data.length; i += 4) {
    const code = codes.data[i]!;
    if (code >> 1 === OUTSIDE) continue;
    all++;
    mask += code & 1;
  }
  return mask / Math.max(all, 1);
}

/** Pixels of each class in a picture of labels, in words: what an alternative text says. */
export function shares(codes: Pixels): Record<Class, number> {
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (let i = 0; i < codes.data.length; i += 4) {
    const label = CLASS_OF[codes.data[i]!];
    if (label) counts[label]++;
  }
  const total = Math.max(CLASSES.reduce((sum, label) => sum + counts[label], 0), 1);
  for (const label of CLASSES) counts[label] /= total;
  return counts;
}
