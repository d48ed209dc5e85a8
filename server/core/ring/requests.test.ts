import { describe, expect, it } from "vitest";
import { getDocument } from "../documents.ts";
import { createDraft } from "../draft.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState } from "../state.ts";
import { changesBetween, planKeySpace } from "./key-space.ts";
import { answerKeySpaceRequest, type KeySpaceRequest } from "./requests.ts";

const actor = { id: "u", name: "ana", role: "operator" } as const;
const nodes = ["a", "b", "c"].map((id) => ({ id, weight: 1, zone: null }));
const register: KeySpaceRequest = {
  kind: "register-key-space",
  id: "carts",
  spec: { nodes, vnodes: 64, seed: 0, loadBound: 0.05 },
  copies: 2,
  keys: null,
  bytes: null,
  reason: "first",
};

function begin() {
  const draft = createDraft(createState(defaultPolicy), { monoMs: 0, wallMs: 1_000, entropy: "e" });
  const ask = (request: KeySpaceRequest) => answerKeySpaceRequest(draft, request, actor);
  const space = () => getDocument(draft, "key-space", "carts")!;
  return { draft, ask, space };
}

describe("key spaces", () => {
  it("are registered once, with an epoch and an audit entry", () => {
    const { draft, ask, space } = begin();
    expect(ask(register)).toEqual({ ok: true, data: { epoch: 1 } });
    expect(ask(register)).toMatchObject({ ok: false, code: "key-space-exists" });
    expect(space()).toMatchObject({ epoch: 1, copies: 2, changedBy: "ana" });
    expect(draft.log).toEqual([expect.objectContaining({ kind: "append-audit" })]);
  });

  it("change only under the plan that was shown, and keep what was before", () => {
    const { ask, space } = begin();
    ask(register);
    const changes = [{ kind: "drain", id: "b" }] as const;
    const plan = planKeySpace(space(), changes);
    const change = {
      kind: "change-key-space",
      id: "carts",
      changes,
      planHash: plan.planHash!,
      reason: "disk",
    } as const;
    expect(ask({ ...change, planHash: "else" })).toMatchObject({ ok: false, code: "plan-changed" });
    expect(ask(change)).toEqual({ ok: true, data: { epoch: 2 } });
    expect(ask(change)).toMatchObject({ ok: false, code: "plan-changed" });
    expect(space().nodes.find(({ id }) => id === "b")?.weight).toBe(0);
    const [before] = space().previous;
    expect(before).toMatchObject({ epoch: 1, nodes, reason: "first" });
    const back = changesBetween(space().nodes, before!.nodes);
    const wayBack = planKeySpace(space(), back);
    ask({ ...change, changes: back, planHash: wayBack.planHash! });
    expect(space()).toMatchObject({ epoch: 3, nodes });
  });

  it("refuse what can't be", () => {
    const { ask } = begin();
    expect(ask({ kind: "remove-key-space", id: "carts", reason: "" })).toMatchObject({ code: "unknown-key-space" });
    const twice = { ...register, spec: { ...register.spec, nodes: [...nodes, nodes[0]!] } };
    expect(ask(twice)).toMatchObject({ code: "node-exists", data: { node: "a" } });
    const wide = { ...register, spec: { ...register.spec, vnodes: 2 ** 20 } };
    expect(ask(wide)).toMatchObject({ code: "too-many-points" });
  });

  it("leave no plan without somebody who owns keys", () => {
    const { ask, space } = begin();
    ask(register);
    const all = nodes.map(({ id }) => ({ kind: "drain", id }) as const);
    expect(planKeySpace(space(), all).refusal).toEqual({ code: "nobody-left" });
  });
});
