// Bytes of files, by ranges: a few requests at a time, those that are seen first.

import type { AbsolutePath, AsyncReadable, GetOptions, RangeQuery } from "@zarrita/storage";
import { checked, Damaged } from "./checksum";
import { ask, Trouble } from "./server";

/** At a time: more wait in the browser, and can't be overtaken there. */
const AT_ONCE = 6;
/** Of these, for what is not seen yet. */
const AHEAD_AT_ONCE = 2;

interface Waiting {
  start: () => void;
  signal: AbortSignal | undefined;
}

/** What one wants to see, and what one may want to see next. */
export type Urgency = "seen" | "ahead";

class Queue {
  private running = 0;
  private waiting: Record<Urgency, Waiting[]> = { seen: [], ahead: [] };

  async run<T>(urgency: Urgency, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.waiting[urgency].push({ start, signal });
      this.next();
    });
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      this.running--;
      this.next();
    }
  }

  private next() {
    const { seen, ahead } = this.waiting;
    while (this.running < AT_ONCE) {
      const isAhead = !seen.length && this.running < AHEAD_AT_ONCE;
      const one = seen.shift() ?? (isAhead ? ahead.shift() : undefined);
      if (!one) return;
      this.running++;
      one.start();
    }
  }
}

const queue = new Queue();

export interface Options extends GetOptions {
  urgency?: Urgency;
  /** Set once a chunk is asked for: what is not stored is not. */
  isStored?: boolean;
}

/** What has been asked for and has come, since the page was opened. */
export const traffic = { requests: 0, bytes: 0 };

const encoded = (path: string) => path.split("/").map(encodeURIComponent).join("/");

/** The files of one array of the results, for zarrita. */
export class ArrayFiles implements AsyncReadable {
  private metadata: Promise<Uint8Array | undefined> | undefined;

  /** `path` is that of the array, below `/results/`. */
  constructor(readonly path: string) {}

  /** A whole file: `zarr.json`, as shards are read by ranges. */
  get(key: AbsolutePath): Promise<Uint8Array | undefined> {
    this.metadata ??= this.bytes(key, {});
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

  async getRange(key: AbsolutePath, range: RangeQuery, options?: Options): Promise<Uint8Array | undefined> {
    if ("suffixLength" in range) {
      // an index: several chunks wait for it, so that it goes on if one of them is no longer wanted
      const bytes = await this.ranged(key, `bytes=-${range.suffixLength}`, { ...options, signal: undefined });
      if (bytes && bytes.length !== range.suffixLength) throw new DamagedIndex("too short");
      if (bytes) checkIndex(bytes);
      return bytes;
    }
    if (options) options.isStored = true;
    const last = range.offset + range.length - 1;
    const bytes = await this.ranged(key, `bytes=${range.offset}-${last}`, options);
    if (bytes?.length !== range.length) throw new Damaged("shorter than its index says");
    return bytes;
  }

  private ranged(key: AbsolutePath, range: string, options?: Options) {
    // the browser's cache would let ranges of one file wait for each other
    return this.bytes(key, { headers: { Range: range }, cache: "no-store" }, options);
  }

  private bytes(key: AbsolutePath, init: RequestInit, options: Options = {}) {
    const { signal, urgency = "seen" } = options;
    return queue.run(urgency, signal, async () => {
      traffic.requests++;
      const response = await ask(`results/${encoded(this.path + key)}`, signal ? { ...init, signal } : init);
      if (!response) return undefined;
      if (!response.ok) throw new Damaged("ends before the range");
      const bytes = new Uint8Array(await response.arrayBuffer());
      traffic.bytes += bytes.length;
      return bytes;
    });
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
