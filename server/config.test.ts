import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "./config.ts";
import { defaultPolicy } from "./core/index.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(text: string, environment: Record<string, string> = {}) {
  const file = join(folder, "server.yaml");
  writeFileSync(file, text);
  return loadConfig(file, environment);
}

describe("the server's configuration", () => {
  it("is right without a file", () => {
    expect(loadConfig(null, {})).toMatchObject({
      host: "127.0.0.1",
      port: 7400,
      publicUrl: "http://127.0.0.1:7400",
      databaseUrl: null,
      tls: null,
      policy: {},
    });
  });

  it("reads the file, and the environment above it", () => {
    const text = "host: 0.0.0.0\nport: 8000\npublicUrl: https://holdfast.example\npolicy:\n  failoverBudget: 9\n";
    expect(load(text)).toMatchObject({ host: "0.0.0.0", port: 8000, policy: { failoverBudget: 9 } });
    const over = load(text, { HOLDFAST_PORT: "8001", HOLDFAST_FAILOVER_BUDGET: "2", DATABASE_URL: "postgresql://x/y" });
    expect(over).toMatchObject({ port: 8001, policy: { failoverBudget: 2 }, databaseUrl: "postgresql://x/y" });
    expect(over.publicUrl).toBe("https://holdfast.example");
  });

  it.each([
    ["port: 99999", /line 1: port: Too big: expected number to be <=65535$/],
    ["port: 8000\nprot: 1", /line 2: prot: there is no such setting/],
    ["port: 8000\npolicy:\n  failoverBudget: many", /line 3: policy\.failoverBudget: /],
    ["port: [", /line 1, column/],
    ["publicOrigins:\n  - https://a.example\n  - a.example/path", /line 3: publicOrigins\.1: must be an origin/],
    ["databaseUrl: mysql://x", /line 1: databaseUrl: must begin with postgresql/],
    ["policy:\n  minSilenceMs: 9000", /minSilenceMs \(9000\) is greater/],
  ])("names the place and the reason of a mistake: %s", (text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  it("takes every number of the policy as it is by default", () => {
    expect(load(`policy: ${JSON.stringify(defaultPolicy)}`).policy).toEqual(defaultPolicy);
  });

  it("says which file it can't read", () => {
    expect(() => loadConfig(join(folder, "missing.yaml"), {})).toThrow(/missing\.yaml/);
  });
});
