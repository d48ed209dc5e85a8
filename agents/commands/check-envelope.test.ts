import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { CommandEnvelope } from "../../server/protocol/index.ts";
import { canonicalJson } from "../../server/protocol/signing.ts";
import { signText, verifyText } from "../connection/identity.ts";
import { emptyFence } from "../fence/promise.ts";
import { checkEnvelope, type EnvelopeContext } from "./check-envelope.ts";
import { verbNames } from "./schemas.ts";

const server = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const serverKey = server.publicKey.export({ format: "jwk" }).x as string;

const envelope: CommandEnvelope = {
  id: "command-1",
  agentKey: "agent-key",
  cluster: "orders",
  grant: { epoch: 2, intentId: "intent", step: 0, configVersion: 1 },
  verb: "postgres.seal",
  args: {},
  sessionMs: 1_000,
  expiresAfterMs: 5_000,
  counter: 7,
};

const context: EnvelopeContext = {
  agentKey: "agent-key",
  serverKey,
  sessionMs: 2_000,
  highestCounter: 6,
  known: null,
  fence: emptyFence,
  allow: new Set(verbNames),
  clusters: new Set(["orders"]),
  verify: verifyText,
};

function check(
  changes: Partial<CommandEnvelope> = {},
  surroundings: Partial<EnvelopeContext> = {},
  key = server.privateKey,
) {
  const changed = { ...envelope, ...changes };
  return checkEnvelope(changed, signText(key, canonicalJson(changed)), { ...context, ...surroundings });
}

describe("a command's envelope", () => {
  it("is accepted when everything holds, and carries the promise to make first", () => {
    expect(check()).toMatchObject({
      kind: "accepted",
      verb: { verb: "postgres.seal" },
      fence: { promise: { epoch: 2, intentId: "intent" } },
    });
  });

  it("is dropped without an answer when another key signed it, or when a byte was changed after signing", () => {
    expect(check({}, {}, stranger.privateKey)).toEqual({ kind: "forged" });
    const signature = signText(server.privateKey, canonicalJson(envelope));
    expect(checkEnvelope({ ...envelope, counter: 8 }, signature, context)).toEqual({ kind: "forged" });
    expect(checkEnvelope(envelope, "", context)).toEqual({ kind: "forged" });
  });

  it.each([
    ["foreign", check({ agentKey: "other" })],
    ["expired", check({}, { sessionMs: 6_001 })],
    ["replayed", check({ counter: 6 })],
    ["unknown-cluster", check({ cluster: "billing" })],
    ["not-allowed", check({}, { allow: new Set(["postgres.follow"]) })],
    ["bad-arguments", check({ args: { command: "rm -rf /" } })],
    ["not-allowed", check({ verb: "exec" as CommandEnvelope["verb"] })],
    ["bad-arguments", check({ verb: "exec" as CommandEnvelope["verb"] }, { allow: new Set(["exec"]) })],
  ])("is refused as %s", (code, verdict) => {
    expect(verdict).toMatchObject({ kind: "refused", code });
  });

  it("is refused when a higher epoch, another intent or a later step was promised", () => {
    const promised = (epoch: number, intentId: string, step: number) => ({
      fence: { ...emptyFence, promise: { epoch, intentId, step, configVersion: 1 } },
    });
    expect(check({}, promised(3, "intent", 0))).toMatchObject({ kind: "refused", code: "stale-epoch" });
    expect(check({}, promised(2, "other", 0))).toMatchObject({ kind: "refused", code: "other-intent" });
    expect(check({}, promised(2, "intent", 1))).toMatchObject({ kind: "refused", code: "stale-step" });
  });

  it("never runs an id twice: its outcome is told again, by whatever counter it comes", () => {
    const outcome = { status: "done", data: { lsn: 5 } } as const;
    expect(check({}, { known: { outcome } })).toEqual({ kind: "repeated", outcome });
    expect(check({ counter: 6 }, { known: { outcome } })).toEqual({ kind: "repeated", outcome });
    expect(check({}, { known: { outcome: null } })).toEqual({ kind: "repeated", outcome: null });
  });

  it("must tell the history that a follower is measured by", () => {
    const primary = { node: "pg-b", host: "10.0.0.1", port: 5432 };
    const args = { primary, configurations: [{ epoch: 1, version: 1, k: 1, members: ["pg-a", "pg-b"] }] };
    const told = (history: readonly { timeline: number; switchLsn: number | null }[]) =>
      check({ verb: "postgres.follow", args: { ...args, history } }, { allow: new Set(["postgres.follow"]) });
    expect(told([])).toMatchObject({ code: "bad-arguments" });
    expect(told([{ timeline: 1, switchLsn: null }])).not.toMatchObject({ code: "bad-arguments" });
  });

  it("must not smuggle anything into a connection string", () => {
    const primary = { node: "pg-b", host: "10.0.0.1 options=-c", port: 5432 };
    expect(check({ verb: "postgres.follow", args: { primary, configurations: [] } })).toMatchObject({
      code: "bad-arguments",
    });
  });
});
