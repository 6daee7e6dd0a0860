/** zlib.crc32 came with Node 20.15; we run from 20.11 on. */
const TABLE = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  TABLE[i] = c;
}

/** CRC-32 (ISO 3309, as in zlib) of `bytes` from `start` to `end`, going on from the CRC of what came before. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  let c = ~before;
  for (let i = start; i < end; i++) c = (c >>> 8) ^ TABLE[(c ^ bytes[i]!) & 0xff]!;
  return ~c >>> 0;
}
