import { expect, it } from "vitest";
import { applyWrites, decide } from "../control-plane.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState } from "../state.ts";

it("declares a dependency once, takes it back, and audits both", () => {
  const state = createState(defaultPolicy);
  const actor = { id: "1", name: "ada", role: "operator" } as const;
  const ask = (from: string, to: string, declared: boolean) => {
    const request = { kind: "declare-dependency", from, to, declared, reason: "" } as const;
    const now = { monoMs: 10_000, wallMs: 1_790_000_000_000, entropy: "e" };
    const decision = decide(state, [{ kind: "operator-requested", requestId: "r", actor, request }], now);
    applyWrites(state, decision.writes);
    const verbs = decision.writes.flatMap((write) => (write.kind === "append-audit" ? [write.value.verb] : []));
    const [reply] = decision.replies;
    return reply?.ok === true ? verbs : reply?.code;
  };
  expect(ask("orders", "ledger", true)).toEqual(["dependency-declared"]);
  expect([...state.durable.documents.values()]).toMatchObject([{ from: "orders", to: "ledger", by: "ada" }]);
  expect(ask("orders", "ledger", true)).toBe("dependency-known");
  expect(ask("orders", "orders", true)).toBe("dependency-on-itself");
  expect(ask("orders", "ledger", false)).toEqual(["dependency-removed"]);
  expect(state.durable.documents.size).toBe(0);
  expect(ask("orders", "ledger", false)).toBe("unknown-dependency");
});
