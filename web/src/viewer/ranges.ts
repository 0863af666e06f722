// Bytes of files, by ranges: a few requests at a time, those that are seen first.

import type { AbsolutePath, AsyncReadable, GetOptions, RangeQuery } from "@zarrita/storage";
import { checked, Damaged } from "./checksum";
import { ask, Trouble } from "./server";

/** At a time: more wait in the browser, and can't be overtaken there. */
const AT_ONCE = 6;
/** Of these, for what is not seen yet. */
const AHEAD_AT_ONCE = 2;
/** Bytes that are rather read in vain than by another request. */
const GAP = 2 ** 14;
/** Most bytes of a request that is made of several. */
const MOST_TOGETHER = 2 ** 22;

/** What one wants to see, and what one may want to see next. */
export type Urgency = "seen" | "ahead";

export interface Options extends GetOptions {
  urgency?: Urgency;
  /** Set once a chunk is asked for: what is not stored is not. */
  isStored?: boolean;
}

/** Bytes of a file, from the first up to the last. */
interface Wanted {
  path: string;
  first: number;
  last: number;
  signal: AbortSignal | undefined;
  resolve: (bytes: Uint8Array | undefined) => void;
  reject: (error: unknown) => void;
}

class Queue {
  private running = 0;
  private waiting: Record<Urgency, Wanted[]> = { seen: [], ahead: [] };

  bytes(path: string, first: number, last: number, { signal, urgency = "seen" }: Options) {
    return new Promise<Uint8Array | undefined>((resolve, reject) => {
      this.waiting[urgency].push({ path, first, last, signal, resolve, reject });
      // what is asked for at once may go together
      queueMicrotask(() => this.next());
    });
  }

  /** What was asked for ahead is seen by now. */
  hurry(signal: AbortSignal) {
    const { seen, ahead } = this.waiting;
    seen.push(...ahead.filter((one) => one.signal === signal));
    this.waiting.ahead = ahead.filter((one) => one.signal !== signal);
  }

  private next() {
    const { seen, ahead } = this.waiting;
    while (this.running < AT_ONCE) {
      if (seen.length) void this.run(takeTogether(seen));
      else if (ahead.length && this.running < AHEAD_AT_ONCE) void this.run(takeTogether(ahead));
      else return;
    }
  }

  private async run(together: Wanted[]) {
    const wanted = together.filter(({ signal }) => !signal?.aborted);
    for (const { signal, reject } of together) if (signal?.aborted) reject(signal.reason);
    if (!wanted.length) return;
    this.running++;
    try {
      const first = Math.min(...wanted.map((one) => one.first));
      const last = Math.max(...wanted.map((one) => one.last));
      const bytes = await ranged(wanted[0]!.path, `bytes=${first}-${last}`, signalOfAll(wanted));
      // each with a buffer of its own, where its values are aligned
      for (const one of wanted) one.resolve(bytes?.slice(one.first - first, one.last + 1 - first));
    } catch (error) {
      for (const one of wanted) one.reject(error);
    } finally {
      this.running--;
      this.next();
    }
  }
}

/** The first that waits, and those of its file that lie next to it, in order. */
function takeTogether(waiting: Wanted[]): Wanted[] {
  const one = waiting[0]!;
  const others = waiting.filter(({ path }) => path === one.path).sort((a, b) => a.first - b.first);
  const at = others.indexOf(one);
  let [from, to] = [at, at];
  const fits = (low: Wanted, high: Wanted) => high.last - low.first < MOST_TOGETHER;
  const isNear = (low: Wanted, high: Wanted) => high.first - low.last <= GAP;
  for (; to + 1 < others.length; to++) {
    if (!isNear(others[to]!, others[to + 1]!) || !fits(others[from]!, others[to + 1]!)) break;
  }
  for (; from > 0; from--) {
    if (!isNear(others[from - 1]!, others[from]!) || !fits(others[from - 1]!, others[to]!)) break;
  }
  const taken = new Set(others.slice(from, to + 1));
  waiting.splice(0, waiting.length, ...waiting.filter((other) => !taken.has(other)));
  return [...taken];
}

/** Aborted once all are. */
function signalOfAll(wanted: Wanted[]): AbortSignal {
  const controller = new AbortController();
  let left = wanted.length;
  for (const { signal } of wanted) {
    signal?.addEventListener("abort", () => --left || controller.abort(signal.reason), { once: true });
  }
  return controller.signal;
}

const encoded = (path: string) => path.split("/").map(encodeURIComponent).join("/");

async function ranged(path: string, range: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  // the browser's cache would let ranges of one file wait for each other
  const init: RequestInit = { headers: { Range: range }, cache: "no-store" };
  return read(path, signal ? { ...init, signal } : init);
}

async function read(path: string, init: RequestInit = {}): Promise<Uint8Array | undefined> {
  const response = await ask(`results/${encoded(path)}`, init);
  if (!response) return undefined;
  if (!response.ok) throw new Damaged("ends before the range");
  return new Uint8Array(await response.arrayBuffer());
}

const queue = new Queue();
export const hurry = (signal: AbortSignal) => queue.hurry(signal);

/** The files of one array of the results, for zarrita. */
export class ArrayFiles implements AsyncReadable {
  private metadata: Promise<Uint8Array | undefined> | undefined;

  /** `path` is that of the array, below `/results/`. */
  constructor(readonly path: string) {}

  /** A whole file: `zarr.json`, as shards are read by ranges. */
  get(key: AbsolutePath): Promise<Uint8Array | undefined> {
    this.metadata ??= read(this.path + key);
    return this.metadata;
  }

  /** What its `zarr.json` says of shards, which zarrita keeps to itself. */
  async shards(): Promise<{ shape: number[]; separator: string }> {
    const bytes = await this.get("/zarr.json");
    if (!bytes) throw new Trouble(`There is no ${this.path}/zarr.json: has the run ended?`);
    const { chunk_grid, chunk_key_encoding } = JSON.parse(new TextDecoder().decode(bytes));
    return {
      shape: chunk_grid.configuration.chunk_shape,
      separator: chunk_key_encoding.configuration?.separator ?? "/",
    };
  }

  async getRange(key: AbsolutePath, range: RangeQuery, options: Options = {}): Promise<Uint8Array | undefined> {
    const path = this.path + key;
    if ("suffixLength" in range) {
      // an index: several chunks wait for it, so that it goes on if one of them is no longer wanted
      const bytes = await ranged(path, `bytes=-${range.suffixLength}`);
      if (bytes && bytes.length !== range.suffixLength) throw new DamagedIndex("too short");
      if (bytes) checkIndex(bytes);
      return bytes;
    }
    options.isStored = true;
    const bytes = await queue.bytes(path, range.offset, range.offset + range.length - 1, options);
    if (bytes?.length !== range.length) throw new Damaged("shorter than its index says");
    return bytes;
  }
}

/** No chunk of the shard can be found. */
export class DamagedIndex extends Damaged {}

function checkIndex(bytes: Uint8Array) {
  try {
    checked(bytes);
  } catch {
    throw new DamagedIndex("wrong checksum of the index");
  }
}
