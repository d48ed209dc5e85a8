/**
 * MurmurHash3 x86_32 (Austin Appleby, public domain) over the UTF-8 bytes of a string: the same number on every platform and in every language
 * that has a MurmurHash3, so that an application can place its keys itself.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Murmur's finaliser: a bijection of 32-bit numbers in which every input bit flips half of the output bits. */
export function mix32(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

export function hashKey(key: string, seed = 0): number {
  const length = key.length;
  const whole = length & ~3;
  let h = seed | 0;
  let i = 0;
  for (; i < whole; i += 4) {
    const a = key.charCodeAt(i);
    const b = key.charCodeAt(i + 1);
    const c = key.charCodeAt(i + 2);
    const d = key.charCodeAt(i + 3);
    if ((a | b | c | d) > 0x7f) return hashBytes(utf8Bytes(key), seed);
    h = addBlock(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let shift = 0; i < length; i++, shift += 8) {
    const code = key.charCodeAt(i);
    if (code > 0x7f) return hashBytes(utf8Bytes(key), seed);
    tail |= code << shift;
  }
  return finish(h, tail, length);
}

export function hashBytes(bytes: ArrayLike<number>, seed = 0): number {
  const length = bytes.length;
  const whole = length & ~3;
  let h = seed | 0;
  let i = 0;
  for (; i < whole; i += 4) {
    h = addBlock(h, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let shift = 0; i < length; i++, shift += 8) tail |= bytes[i]! << shift;
  return finish(h, tail, length);
}

function scramble(block: number): number {
  const k = Math.imul(block, C1);
  return Math.imul((k << 15) | (k >>> 17), C2);
}

function addBlock(hash: number, block: number): number {
  const h = hash ^ scramble(block);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, tail: number, length: number): number {
  return mix32(hash ^ scramble(tail) ^ length);
}

/** The UTF-8 bytes of a string; a lone surrogate becomes U+FFFD, as `TextEncoder` has it. */
export function utf8Bytes(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return bytes;
}
