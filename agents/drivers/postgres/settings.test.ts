import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { PostgresService } from "./service.ts";
import { baseSettings, primarySettings } from "./settings.ts";

const page = readFileSync(new URL("../../../docs/postgresql.md", import.meta.url), "utf8");
const table = page.slice(page.indexOf("## 7."), page.indexOf("## 8."));

const service = {
  host: "127.0.0.1",
  port: 5432,
  advertise: { host: "10.0.0.1", port: 5432 },
  manager: null,
  settings: {},
};

it("owns no setting that docs/postgresql.md does not tell", () => {
  const owned = {
    ...baseSettings(service as unknown as PostgresService, 18),
    ...primarySettings({ epoch: 1, version: 1, k: 1, members: ["b"] }),
  };
  expect(Object.keys(owned).length).toBeGreaterThan(20);
  expect(Object.keys(owned).filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});
