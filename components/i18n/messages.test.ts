import { createTranslator } from "next-intl";
import { describe, expect, it } from "vitest";
import en from "../../messages/en.json";
import zhCN from "../../messages/zh-CN.json";

interface Messages {
  readonly [key: string]: string | Messages;
}

function flatten(messages: Messages, prefix = ""): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(messages)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (typeof value === "string") flat.set(path, value);
    else for (const [inner, text] of flatten(value, path)) flat.set(inner, text);
  }
  return flat;
}

/** Argument names of an ICU message: `{name}` or `{name, plural, …}`, at any depth. */
function placeholders(text: string): string[] {
  const names = new Set<string>();
  for (const match of text.matchAll(/\{\s*([A-Za-z][A-Za-z0-9]*)\s*(?=[,}])/g)) {
    const before = text.slice(0, match.index).trimEnd();
    // `one {record}` is a branch, not an argument.
    const branch = /(?:^|[\s,}])(?:=\d+|[a-zA-Z-–]+)$/.test(before) && isInsideChoice(text, match.index ?? 0);
    if (!branch) names.add(match[1] as string);
  }
  return [...names].sort();
}

/** A branch word stands directly within a `{x, plural, …}`; an argument stands within text. */
function isInsideChoice(text: string, index: number): boolean {
  const stack: ("argument" | "choice" | "branch")[] = [];
  for (let i = 0; i < index; i += 1) {
    if (text[i] === "{") {
      const choice = /^\{\s*\w+\s*,\s*(plural|select|selectordinal)\s*,/.test(text.slice(i));
      stack.push(stack.at(-1) === "choice" ? "branch" : choice ? "choice" : "argument");
    } else if (text[i] === "}") stack.pop();
  }
  return stack.at(-1) === "choice";
}

function firstUnsorted(messages: Messages, prefix = ""): string | null {
  const keys = Object.keys(messages);
  const sorted = [...keys].sort();
  const wrong = keys.find((key, index) => key !== sorted[index]);
  if (wrong !== undefined) return `${prefix}${wrong}`;
  for (const [key, value] of Object.entries(messages)) {
    const inner = typeof value === "string" ? null : firstUnsorted(value, `${prefix}${key}.`);
    if (inner !== null) return inner;
  }
  return null;
}

const english = flatten(en);
const chinese = flatten(zhCN);

describe("messages", () => {
  it("has the same keys in both languages", () => {
    expect([...english.keys()].filter((key) => !chinese.has(key))).toEqual([]);
    expect([...chinese.keys()].filter((key) => !english.has(key))).toEqual([]);
  });

  it("uses the same placeholders in both languages", () => {
    const different = [...english]
      .filter(([key, text]) => placeholders(text).join() !== placeholders(chinese.get(key) ?? "").join())
      .map(([key, text]) => `${key}: ${placeholders(text)} / ${placeholders(chinese.get(key) ?? "")}`);
    expect(different).toEqual([]);
  });

  it("keeps groups and keys in alphabetical order, so that several hands can add to them", () => {
    expect([firstUnsorted(en), firstUnsorted(zhCN)]).toEqual([null, null]);
  });

  it("parses in both languages", () => {
    const broken: string[] = [];
    for (const [locale, messages, flat] of [
      ["en", en, english],
      ["zh-CN", zhCN, chinese],
    ] as const) {
      const t = createTranslator({
        locale,
        messages: messages as never,
        onError: (error) => {
          if (error.code === "INVALID_MESSAGE") broken.push(`${locale}: ${error.message}`);
        },
      }) as unknown as (key: string, values: Record<string, string | number>) => string;
      for (const [key, text] of flat) {
        const values = Object.fromEntries(placeholders(text).map((name) => [name, isCounted(text, name) ? 2 : "x"]));
        t(key, values);
      }
    }
    expect(broken).toEqual([]);
  });

  it("tells a missing placeholder", () => {
    expect(placeholders("{count, plural, one {# of {of}} other {# things}} on {node}")).toEqual([
      "count",
      "node",
      "of",
    ]);
  });
});

function isCounted(text: string, name: string): boolean {
  return new RegExp(`\\{\\s*${name}\\s*,\\s*(plural|selectordinal)`).test(text);
}
