import { utf8Bytes } from "./hash.ts";

/** Redis Cluster places keys in this many slots. */
export const REDIS_SLOTS = 16_384;

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** CRC16 in the XMODEM form, as the Redis Cluster specification has it. */
export function crc16(bytes: ArrayLike<number>): number {
  let crc = 0;
  for (let i = 0; i < bytes.length; i++) crc = ((crc << 8) ^ crcTable[((crc >>> 8) ^ bytes[i]!) & 0xff]!) & 0xffff;
  return crc;
}

/** The slot of a key. Only what stands between the first `{` and the next `}` counts, if anything does (the hash tag). */
export function redisSlot(key: string): number {
  return crc16(utf8Bytes(hashTag(key))) % REDIS_SLOTS;
}

function hashTag(key: string): string {
  const open = key.indexOf("{");
  if (open < 0) return key;
  const close = key.indexOf("}", open + 1);
  return close <= open + 1 ? key : key.slice(open + 1, close);
}
