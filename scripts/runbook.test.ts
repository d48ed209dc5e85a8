import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const runbook = read("docs/runbook.md").toLowerCase();

/** Named in the type for the screens' sake, and opened by nothing. */
const neverOpened = new Set(["dead-node", "replication-broken", "fleet-silent"]);

/** How the runbook calls a verdict: "dead-primary" is "dead primary", several may share a line. */
function isTold(verdict: string): boolean {
  const words = verdict.split("-");
  const [mode = "", role = ""] = [words.slice(0, -1).join(" "), words.at(-1)];
  return runbook.split("\n").some((line) => {
    const name = /^\| ([^|]+) \|/.exec(line)?.[1] ?? "";
    const alike = mode === "unwritable" ? "can't write" : mode;
    return name.includes(alike) && name.includes(role);
  });
}

it("tells what to do about every verdict", () => {
  const union = /export type VerdictKind =([\s\S]*?);\n/.exec(read("server/core/incident/types.ts"))?.[1] ?? "";
  const verdicts = [...union.matchAll(/\| "([a-z-]+)"/g)].map(([, verdict]) => verdict as string);
  expect(verdicts.length).toBeGreaterThan(20);
  expect(verdicts.filter((verdict) => !neverOpened.has(verdict) && !isTold(verdict))).toEqual([]);
});

it("tells what to do about every refusal of a failover and every hold of ours", () => {
  const files = ["evaluate-cluster", "sealing", "async-failover", "regrant", "promotion", "bootstrap", "outcomes"];
  const code = files.map((name) => read(`server/core/recovery/${name}.ts`)).join("\n");
  const held = [...code.matchAll(/holdAutomation\(draft, [\w.]+, "([a-z-]+)"\)/g)].map(
    ([, reason]) => reason as string,
  );
  const refused = [...code.matchAll(/(?:return|:) \{ ?code: "([a-z-]+)", data/g)].map(([, reason]) => reason as string);
  expect(held).toContain("store-behind-agents");
  expect(refused).toContain("no-quorum");
  expect(
    [...held, ...refused].filter((reason) => !runbook.includes(`**${reason}`) && !runbook.includes(`, ${reason}**`)),
  ).toEqual([]);
});
