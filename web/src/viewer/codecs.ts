// What the chunks of this project's arrays are encoded by; nothing else is read.

import { decompress } from "fzstd";
import { registry } from "zarrita";
import { checked, CHECKSUM_BYTES, Damaged } from "./checksum";

/** Of a Zarr v3 codec, what reading needs. */
abstract class BytesCodec {
  readonly kind = "bytes_to_bytes";
  abstract decode(bytes: Uint8Array): Uint8Array;
  encode(): Promise<Uint8Array> {
    throw new Error("this viewer does not write");
  }
}

/** zarrita's own takes the checksum off without a look at it. */
class Crc32c extends BytesCodec {
  decode(bytes: Uint8Array) {
    return checked(bytes);
  }
  computeEncodedSize(size: number) {
    return size + CHECKSUM_BYTES;
  }
}

class Zstd extends BytesCodec {
  decode(bytes: Uint8Array) {
    return decompress(bytes);
  }
}

class Lz4 extends BytesCodec {
  decode(bytes: Uint8Array) {
    return lz4(bytes);
  }
}

/** What numcodecs writes: the size, as four bytes, and one block of LZ4. */
export function lz4(bytes: Uint8Array): Uint8Array {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const out = new Uint8Array(size);
  let from = 4;
  let to = 0;
  const more = (length: number) => {
    if (length < 15) return length;
    for (;;) {
      const byte = bytes[from++]!;
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (from < bytes.length) {
    const token = bytes[from++]!;
    const literals = more(token >> 4);
    if (to + literals > size) throw new Damaged("longer than it says");
    out.set(bytes.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from >= bytes.length) break;
    const back = bytes[from]! | (bytes[from + 1]! << 8);
    from += 2;
    const length = more(token & 15) + 4;
    if (!back || back > to || to + length > size) throw new Damaged("points beyond its pixels");
    // what is copied may overlap what it is copied from
    for (let i = 0; i < length; i++, to++) out[to] = out[to - back]!;
  }
  if (to !== size) throw new Damaged("shorter than it says");
  return out;
}

export function register(): void {
  const all = { crc32c: Crc32c, zstd: Zstd, "numcodecs.lz4": Lz4 };
  for (const [name, Codec] of Object.entries(all)) {
    registry.set(name, async () => ({ kind: "bytes_to_bytes", fromConfig: () => new Codec() }) as never);
  }
}
