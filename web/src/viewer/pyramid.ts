// Pixels of the results, chunk by chunk, from the arrays of a group that are half as large each.

import * as zarr from "zarrita";
import { Damaged } from "./checksum";
import { ArrayFiles, DamagedIndex, hurry, type Options, type Urgency } from "./ranges";
import type { Layer } from "./server";

export type Pixels = Uint8Array | Uint16Array | Float32Array | ArrayLike<number | bigint>;

/** Decoded chunks that are kept, in bytes. */
const KEPT_BYTES = 192 * 2 ** 20;

/** A half-open box of pixels of the stack at full resolution, which a shard lost. */
export interface Damage {
  /** Of the group, below `/results/`. */
  layer: string;
  level: number;
  /** The shard, below `/results/`. */
  file: string;
  planes: [number, number];
  rows: [number, number];
  columns: [number, number];
}

interface Level {
  array: zarr.Array<zarr.DataType, ArrayFiles>;
  shard: number[];
  separator: string;
}

/** A chunk, or `null` where nothing but the fill value is. */
type Chunk = Pixels | null;

interface Wanted {
  chunk: Promise<Chunk>;
  controller: AbortController;
  /** That wait for it: the last one that goes away stops the request. */
  waiting: number;
}

const kept = new Map<string, Chunk>();
let keptBytes = 0;
const sizeOf = (chunk: Chunk) => (chunk as { byteLength?: number } | null)?.byteLength ?? 64;

function keep(key: string, chunk: Chunk) {
  kept.set(key, chunk);
  keptBytes += sizeOf(chunk);
  for (const [oldest, old] of kept) {
    if (keptBytes <= KEPT_BYTES) break;
    kept.delete(oldest);
    keptBytes -= sizeOf(old);
  }
}

function find(key: string): Chunk | undefined {
  const chunk = kept.get(key);
  if (chunk === undefined) return undefined;
  // the latest last
  kept.delete(key);
  kept.set(key, chunk);
  return chunk;
}

/** The arrays of one layer of a stack. */
export class Pyramid {
  private readonly opened: (Promise<Level> | undefined)[] = [];
  private readonly wanted = new Map<string, Wanted>();
  private readonly damages = new Map<string, Damage>();

  constructor(
    readonly layer: Layer,
    private readonly onDamage: (damage: Damage) => void,
  ) {}

  level(number: number): Promise<Level> {
    let level = this.opened[number];
    if (!level) {
      level = this.open(number);
      level.catch(() => (this.opened[number] = undefined));
      this.opened[number] = level;
    }
    return level;
  }

  private async open(number: number): Promise<Level> {
    const files = new ArrayFiles(this.layer.arrays[number]!);
    const { shape, separator } = await files.shards();
    const array = await zarr.open.v3(zarr.root(files), { kind: "array" });
    return { array, shard: shape, separator };
  }

  /** Read all again, from files that may have been made anew. */
  forget() {
    this.damages.clear();
    this.opened.length = 0;
    for (const [key, chunk] of kept) {
      if (!key.startsWith(`${this.layer.path}/`)) continue;
      kept.delete(key);
      keptBytes -= sizeOf(chunk);
    }
  }

  /** A chunk at its place, in chunks; what is damaged is told, and is `null`. */
  async chunk(number: number, place: number[], signal?: AbortSignal, urgency: Urgency = "seen"): Promise<Chunk> {
    const key = `${this.layer.path}/${number}/${place.join()}`;
    const known = find(key);
    if (known !== undefined) return known;
    let wanted = this.wanted.get(key);
    if (!wanted) {
      const controller = new AbortController();
      const chunk = this.read(number, place, { signal: controller.signal, urgency });
      wanted = { chunk, controller, waiting: 0 };
      this.wanted.set(key, wanted);
      const mine = wanted;
      const forget = () => this.wanted.get(key) === mine && this.wanted.delete(key);
      chunk.then((pixels) => keep(key, pixels)).catch(() => {});
      chunk.then(forget, forget);
    } else if (urgency === "seen") {
      hurry(wanted.controller.signal);
    }
    return this.await(wanted, key, signal);
  }

  private await(wanted: Wanted, key: string, signal?: AbortSignal): Promise<Chunk> {
    wanted.waiting++;
    if (!signal) return wanted.chunk;
    return new Promise((resolve, reject) => {
      const stop = () => {
        reject(signal.reason);
        if (--wanted.waiting) return;
        wanted.controller.abort(signal.reason);
        if (this.wanted.get(key) === wanted) this.wanted.delete(key);
      };
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      const done = () => signal.removeEventListener("abort", stop);
      wanted.chunk.then(resolve, reject).finally(done);
    });
  }

  private async read(number: number, place: number[], options: Options, isAgain = false): Promise<Chunk> {
    const opened = this.level(number);
    const level = await opened;
    const { file, ...shard } = this.shardOf(level, number, place);
    if (this.damages.has(file)) return null;
    try {
      return await this.decoded(level, place, options);
    } catch (error) {
      const cause = causeOf(error);
      if (options.signal?.aborted || !(cause instanceof Damaged)) throw error;
      if (!isAgain) {
        // a run that goes on may have written the shard after its index was read
        if (this.opened[number] === opened) this.opened[number] = undefined;
        return this.read(number, place, options, true);
      }
      const damage = { layer: this.layer.path, level: number, file };
      if (cause instanceof DamagedIndex) {
        this.damages.set(file, { ...damage, ...shard });
        this.onDamage({ ...damage, ...shard });
      } else {
        this.onDamage({ ...damage, ...boxOf(place, level.array.chunks, number) });
      }
      return null;
    }
  }

  private async decoded({ array }: Level, place: number[], options: Options): Promise<Chunk> {
    const { data } = await array.getChunk(place, options);
    if (!options.isStored) return null;
    const pixels = data as Pixels;
    const size = array.chunks.reduce((product, side) => product * side, 1);
    if (pixels.length !== size) throw new Damaged("of another size");
    return pixels;
  }

  private shardOf({ array, shard, separator }: Level, number: number, place: number[]) {
    const at = place.map((index, axis) => Math.floor((index * array.chunks[axis]!) / shard[axis]!));
    const file = `${this.layer.arrays[number]}/${["c", ...at].join(separator)}`;
    return { file, ...boxOf(at, shard, number) };
  }
}

/** What zarrita wraps. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && !(error instanceof Damaged) && error.cause ? causeOf(error.cause) : error;
}

/** The pixels of a chunk or shard at its place, at full resolution. */
function boxOf(place: number[], shape: number[], level: number) {
  const [planes, rows, columns] = [-3, -2, -1].map((axis) => {
    const [at, side] = [place.at(axis)!, shape.at(axis)!];
    const factor = axis === -3 ? 1 : 2 ** level;
    return [at * side * factor, (at + 1) * side * factor] as [number, number];
  }) as [[number, number], [number, number], [number, number]];
  return { planes, rows, columns };
}

/** Part of a sample at one level: a plane of the stack, and half-open rows and columns at that level. */
export interface Window {
  plane: number;
  rows: [number, number];
  columns: [number, number];
}

/** Values for textures: a window, filled up to a width and a height, with its channels together. */
export async function picture(
  pyramid: Pyramid,
  level: number,
  { plane, rows, columns }: Window,
  [across, down]: [number, number],
  signal?: AbortSignal,
): Promise<Uint8Array | Float32Array> {
  const { array } = await pyramid.level(level);
  const channels = array.shape.length > 3 ? array.shape[0]! : 1;
  const isByte = array.dtype === "uint8" || array.dtype === "bool";
  const out = new (isByte ? Uint8Array : Float32Array)(across * down * channels);
  if (pyramid.layer.fill) out.fill(pyramid.layer.fill);
  const [depth, height, width] = array.chunks.slice(-3) as [number, number, number];
  const jobs: Promise<void>[] = [];
  for (let channel = 0; channel < channels; channel++) {
    for (const place of placesOf(array.chunks, { plane, rows, columns })) {
      const at = channels > 1 ? [channel, ...place] : place;
      const put = async () => {
        const pixels = await pyramid.chunk(level, at, signal);
        if (!pixels) return;
        const [, row, column] = place as [number, number, number];
        const from = { y: row * height, x: column * width };
        const first = (plane % depth) * height * width;
        const y0 = Math.max(from.y, rows[0]);
        const y1 = Math.min(from.y + height, rows[1]);
        const x0 = Math.max(from.x, columns[0]);
        const x1 = Math.min(from.x + width, columns[1]);
        for (let y = y0; y < y1; y++) {
          const source = first + (y - from.y) * width + x0 - from.x;
          const target = ((y - rows[0]) * across + x0 - columns[0]) * channels + channel;
          copy(out, target, channels, pixels, source, x1 - x0);
        }
      };
      jobs.push(put());
    }
  }
  await Promise.all(jobs);
  return out;
}

function copy(
  out: Uint8Array | Float32Array,
  target: number,
  step: number,
  pixels: Pixels,
  source: number,
  length: number,
) {
  if (step === 1 && (pixels instanceof Uint8Array || pixels instanceof Uint16Array)) {
    out.set(pixels.subarray(source, source + length), target);
    return;
  }
  for (let i = 0; i < length; i++) {
    const value = Number(pixels[source + i]);
    // not a number is darker than all numbers
    out[target + i * step] = Number.isNaN(value) ? NOT_A_NUMBER : value;
  }
}

/** How textures hold it: shaders may take it for anything. */
export const NOT_A_NUMBER = -(2 ** 127);

/** Places of the chunks that have part of a window. */
export function placesOf(chunks: readonly number[], { plane, rows, columns }: Window): number[][] {
  const [depth, height, width] = chunks.slice(-3) as [number, number, number];
  const places: number[][] = [];
  const z = Math.floor(plane / depth);
  for (let y = Math.floor(rows[0] / height); y * height < rows[1]; y++) {
    for (let x = Math.floor(columns[0] / width); x * width < columns[1]; x++) places.push([z, y, x]);
  }
  return places;
}
