/**
 * A reader of protocol buffers, as far as OTLP needs them: a message is described by a table of its fields and comes out in the shape of OTLP's
 * JSON. Unknown fields are skipped. Nothing is generated, and nothing is believed: lengths, depth and number of values have limits.
 * Source of the format: protobuf.dev, "Encoding".
 */
export type FieldKind = "string" | "hex" | "fixed64" | "sfixed64" | "varint" | "double" | "bool" | MessageShape;

export interface FieldShape {
  readonly name: string;
  readonly kind: FieldKind;
  readonly repeated?: boolean;
}

/** By field number. A function, because messages may hold themselves. */
export type MessageShape = () => Readonly<Record<number, FieldShape>>;

export class ProtobufError extends Error {}

export interface ProtobufLimits {
  readonly maxDepth: number;
  /** Values of all messages together. */
  readonly maxValues: number;
}

/** @throws ProtobufError with what is wrong. */
export function decodeProtobuf(bytes: Buffer, shape: MessageShape, limits: ProtobufLimits): Record<string, unknown> {
  return new Decoder(bytes, limits).message(shape, bytes.length, 1);
}

const varintType = 0;
const fixed64Type = 1;
const lengthType = 2;
const fixed32Type = 5;

class Decoder {
  #at = 0;
  #values = 0;
  readonly #bytes: Buffer;
  readonly #limits: ProtobufLimits;

  constructor(bytes: Buffer, limits: ProtobufLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  message(shape: MessageShape, end: number, depth: number): Record<string, unknown> {
    if (depth > this.#limits.maxDepth) throw new ProtobufError(`nested more than ${this.#limits.maxDepth} deep`);
    const fields = shape();
    const value: Record<string, unknown> = {};
    while (this.#at < end) {
      const tag = this.#varint(end);
      const number = Math.floor(tag / 8);
      const field = fields[number];
      this.#values += 1;
      if (this.#values > this.#limits.maxValues) throw new ProtobufError(`more than ${this.#limits.maxValues} values`);
      if (field === undefined) {
        this.#skip(tag % 8, end);
        continue;
      }
      const one = this.#value(field, tag % 8, end, depth);
      if (!field.repeated) value[field.name] = one;
      else if (Array.isArray(value[field.name])) (value[field.name] as unknown[]).push(one);
      else value[field.name] = [one];
    }
    return value;
  }

  #value({ name, kind }: FieldShape, wireType: number, end: number, depth: number): unknown {
    const expected =
      kind === "fixed64" || kind === "sfixed64" || kind === "double"
        ? fixed64Type
        : kind === "varint" || kind === "bool"
          ? varintType
          : lengthType;
    if (wireType !== expected) throw new ProtobufError(`${name} has the wire type ${wireType} instead of ${expected}`);
    if (kind === "varint") return signed(this.#varint(end));
    if (kind === "bool") return this.#varint(end) !== 0;
    if (kind === "fixed64") {
      const from = this.#take(8, end);
      return this.#bytes.readUInt32LE(from + 4) * 2 ** 32 + this.#bytes.readUInt32LE(from);
    }
    if (kind === "sfixed64") return Number(this.#bytes.readBigInt64LE(this.#take(8, end)));
    if (kind === "double") return this.#bytes.readDoubleLE(this.#take(8, end));
    const length = this.#varint(end);
    const from = this.#take(length, end);
    if (kind === "string") return this.#bytes.toString("utf8", from, from + length);
    if (kind === "hex") return this.#bytes.toString("hex", from, from + length);
    this.#at = from;
    return this.message(kind, from + length, depth + 1);
  }

  #skip(wireType: number, end: number): void {
    if (wireType === varintType) this.#varint(end);
    else if (wireType === fixed64Type) this.#take(8, end);
    else if (wireType === fixed32Type) this.#take(4, end);
    else if (wireType === lengthType) this.#take(this.#varint(end), end);
    else throw new ProtobufError(`there is no wire type ${wireType} in OTLP`);
  }

  /** Moves over `length` bytes; answers where they begin. */
  #take(length: number, end: number): number {
    const from = this.#at;
    if (length > end - from) throw new ProtobufError("a value is longer than what holds it");
    this.#at = from + length;
    return from;
  }

  #varint(end: number): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10; i += 1) {
      if (this.#at >= end) throw new ProtobufError("it ends in the middle of a value");
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    throw new ProtobufError("a number has more than ten bytes");
  }
}

/** Negative numbers are sent as their complement to 2⁶⁴. */
function signed(value: number): number {
  return value >= 2 ** 63 ? value - 2 ** 64 : value;
}

/** The bytes of a message with these fields: numbers as varints, texts and messages with their length. */
export function encodeProtobuf(fields: readonly (readonly [number, number | string | Buffer])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "number") {
      parts.push(encodeVarint(number * 8 + varintType), encodeVarint(value));
      continue;
    }
    const bytes = Buffer.from(value as string);
    parts.push(encodeVarint(number * 8 + lengthType), encodeVarint(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}
