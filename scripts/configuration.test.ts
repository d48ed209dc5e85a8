import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { agentConfigSchema } from "../agents/config/schema.ts";
import { serverConfigSchema } from "../server/config.ts";
import { defaultCauseRule, defaultPolicy } from "../server/core/index.ts";
import { causeNames } from "../server/core/localization/explain/causes.ts";
import { findMistakes, listSettings, type Row, readRows } from "./configuration.ts";

const page = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");
const ofSchema = (schema: z.ZodMiniType) => listSettings(z.toJSONSchema(schema, { io: "input" }));

describe("docs/configuration.md", () => {
  it("has every setting of agent.yaml with its default and its limits, and no other", () => {
    const settings = ofSchema(agentConfigSchema);
    expect(settings.length).toBeGreaterThan(100);
    expect(findMistakes(settings, readRows(page, "agent.yaml"))).toEqual([]);
  });

  it("has every setting of server.yaml with its limits, the policy with its defaults, and no other", () => {
    // Defaults of the policy lie with the core, not with the file's schema.
    const defaults = new Map<string, unknown>(Object.entries(defaultPolicy).map(([key, of]) => [`policy.${key}`, of]));
    for (const [key, of] of Object.entries(defaultCauseRule)) defaults.set(`policy.causes.*.${key}`, of);
    const settings = ofSchema(serverConfigSchema).map((setting) =>
      defaults.has(setting.path) ? { ...setting, isRequired: false, byDefault: defaults.get(setting.path) } : setting,
    );
    expect(findMistakes(settings, readRows(page, "server.yaml"))).toEqual([]);
  });

  it("names every cause and every variable of the environment", () => {
    for (const cause of causeNames) expect(page).toContain(`\`${cause}\``);
    const read = ["server/config.ts", "server/config-locks.ts", "server/open-stores.ts", "cli/api.ts", "cli/locks.ts"];
    const text = [...read, "cli/holdfast.js", "clients/node/holdfast.mjs", "agents/drivers/program/process-keeper.ts"]
      .map((file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8"))
      .join("\n");
    const names = new Set(text.match(/\b(?:HOLDFAST_[A-Z_]+|DATABASE_URL)\b/g));
    expect(names.size).toBeGreaterThan(20);
    expect([...names].filter((name) => !page.includes(name))).toEqual([]);
  });
});

describe("the comparison itself", () => {
  const setting = { path: "spool.maxBytes", isRequired: false, byDefault: 10, words: ["5"] };
  const row = (byDefault: string, value: string): ReadonlyMap<string, Row> =>
    new Map([["spool.maxBytes", { value, byDefault }]]);

  it("finds a setting that is missing, one that is gone, a wrong default and a missing limit", () => {
    expect(findMistakes([setting], row("`10`", "5 or more"))).toEqual([]);
    expect(findMistakes([setting], new Map())).toEqual(["spool.maxBytes is not on the page"]);
    expect(findMistakes([], row("`10`", "5 or more"))).toEqual(["spool.maxBytes is on the page and in no schema"]);
    expect(findMistakes([setting], row("`11`", "5 or more"))).toEqual(["spool.maxBytes: default `11`, really `10`"]);
    expect(findMistakes([setting], row("`10`", "any"))).toEqual(["spool.maxBytes: its value does not say 5"]);
  });
});
