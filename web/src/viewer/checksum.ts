// CRC-32C (Castagnoli), which follows every chunk and every index of a shard.

const POLYNOMIAL = 0x82f63b78;
/** Size of a CRC-32C. */
export const CHECKSUM_BYTES = 4;

/** Eight tables, so that eight bytes are taken at a time. */
const TABLES = tables();

function tables(): Uint32Array[] {
  const all = Array.from({ length: 8 }, () => new Uint32Array(256));
  const first = all[0]!;
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    first[i] = value;
  }
  for (let i = 0; i < 256; i++) {
    for (let t = 1; t < 8; t++) {
      const before = all[t - 1]![i]!;
      all[t]![i] = (before >>> 8) ^ first[before & 255]!;
    }
  }
  return all;
}

export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
    ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
  ];
  let crc = -1;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}

/** Bytes of a shard that are not what was written. */
export class Damaged extends Error {}

/** The bytes without the checksum at their end; `Damaged` if it is not theirs. */
export function checked(bytes: Uint8Array): Uint8Array {
  const size = bytes.length - CHECKSUM_BYTES;
  if (size < 0) throw new Damaged("too short");
  const data = bytes.subarray(0, size);
  const stored = new DataView(bytes.buffer, bytes.byteOffset + size).getUint32(0, true);
  if (crc32c(data) !== stored) throw new Damaged("wrong checksum");
  return data;
}
