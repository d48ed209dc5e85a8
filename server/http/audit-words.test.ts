import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Messages {
  readonly audit: Readonly<Record<string, unknown>>;
}

const routes = new URL("./routes/", import.meta.url);
const verbs = readdirSync(routes)
  .filter((name) => !name.endsWith(".test.ts"))
  .flatMap((name) => [...readFileSync(new URL(name, routes), "utf8").matchAll(/\bverb: "([a-z-]+)"/g)])
  .map((match) => match[1] as string);

it.each(["en", "zh-CN"])("has words for everything the routes audit: %s", (locale) => {
  const file = new URL(`../../messages/${locale}.json`, import.meta.url);
  const { audit } = JSON.parse(readFileSync(file, "utf8")) as Messages;
  expect(verbs.length).toBeGreaterThan(10);
  expect(verbs.filter((verb) => typeof audit[verb] !== "string")).toEqual([]);
});
