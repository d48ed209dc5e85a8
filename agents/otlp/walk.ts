/** Careful reading of values that came from outside: whatever is not as expected is as good as missing. */

export type Values = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A number, or a text of digits: JSON carries 64-bit numbers as text. */
export function asNumber(value: unknown): number {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : 0;
}

/** Attributes beyond it are not looked at. */
const attributesRead = 128;

/** Scalar attributes by name. Lists and maps are left out: nothing here is judged by them. */
export class Attributes {
  readonly #values = new Map<string, string>();

  constructor(list: unknown) {
    for (const item of asList(list).slice(0, attributesRead)) {
      const { key, value } = asObject(item);
      const text = scalarText(value);
      if (typeof key === "string" && text !== null) this.#values.set(key, text);
    }
  }

  /** The first that is there; empty for none. */
  get(...names: readonly string[]): string {
    for (const name of names) {
      const value = this.#values.get(name);
      if (value !== undefined && value !== "") return value;
    }
    return "";
  }
}

/** An `AnyValue` as text; null for what is no scalar. */
export function scalarText(value: unknown): string | null {
  const { stringValue, boolValue, intValue, doubleValue } = asObject(value);
  for (const each of [stringValue, boolValue, intValue, doubleValue]) {
    if (typeof each === "string") return each;
    if (typeof each === "number" || typeof each === "boolean") return String(each);
  }
  return null;
}
