import type { AnyVerb, CommandOutcome } from "../../server/core/index.ts";
import type { CommandEnvelope } from "../../server/protocol/index.ts";
import { canonicalJson } from "../../server/protocol/signing.ts";
import { checkOrder, type FenceRecord, judgeCommand } from "../fence/promise.ts";
import { decodeVerb } from "./schemas.ts";

/** What a command is checked against. */
export interface EnvelopeContext {
  readonly agentKey: string;
  readonly serverKey: string;
  /** Milliseconds since this session's handshake, our monotonic clock. */
  readonly sessionMs: number;
  /** Highest counter accepted from this server key, across restarts. */
  readonly highestCounter: number;
  /** What is known of this command's id; null when it is new. `outcome: null` means that it runs. */
  readonly known: { readonly outcome: CommandOutcome | null } | null;
  readonly fence: FenceRecord;
  readonly allow: ReadonlySet<string>;
  /** Clusters that this agent serves. */
  readonly clusters: ReadonlySet<string>;
  verify(key: string, text: string, signature: string): boolean;
}

export type EnvelopeVerdict =
  /** Not from our server: nothing is answered. */
  | { readonly kind: "forged" }
  /** Already accepted: its outcome is told again (null: it still runs). It never runs twice. */
  | { readonly kind: "repeated"; readonly outcome: CommandOutcome | null }
  | { readonly kind: "refused"; readonly code: string; readonly detail: string }
  /** `fence` must be durable before the verb runs. */
  | { readonly kind: "accepted"; readonly verb: AnyVerb; readonly fence: FenceRecord };

/**
 * Judges a command, pure: signature, audience, expiry, counter, duplicate id, grant, own allow-list, arguments. What needs PostgreSQL is
 * checked by the verb itself before it does anything.
 */
export function checkEnvelope(envelope: CommandEnvelope, signature: string, context: EnvelopeContext): EnvelopeVerdict {
  if (!context.verify(context.serverKey, canonicalJson(envelope), signature)) return { kind: "forged" };
  if (envelope.agentKey !== context.agentKey) return refuse("foreign", "this command was signed for another agent");
  const { expiresAfterMs, sessionMs, counter, grant } = envelope;
  if (context.sessionMs > sessionMs + expiresAfterMs) {
    const lateMs = Math.round(context.sessionMs - sessionMs - expiresAfterMs);
    return refuse("expired", `this command expired ${lateMs} ms ago`);
  }
  if (counter <= context.highestCounter) {
    // The same command once more is answered, not obeyed; an unknown one with an old counter is a replay.
    if (context.known !== null) return { kind: "repeated", outcome: context.known.outcome };
    return refuse("replayed", `counter ${counter} is not above ${context.highestCounter}`);
  }
  if (context.known !== null) return { kind: "repeated", outcome: context.known.outcome };
  if (!context.clusters.has(envelope.cluster)) {
    return refuse("unknown-cluster", `this agent serves no cluster ${envelope.cluster}`);
  }
  const order = checkOrder(context.fence, grant);
  if (order !== null) return { kind: "refused", ...order };
  if (!context.allow.has(envelope.verb)) {
    return refuse("not-allowed", `${envelope.verb} is not on this agent's own allow-list`);
  }
  const decoded = decodeVerb(envelope.verb, envelope.args);
  if (!decoded.ok) return refuse("bad-arguments", decoded.detail);
  const verdict = judgeCommand(context.fence, { grant, verb: decoded.verb });
  if (!verdict.ok) return refuse(verdict.code, verdict.detail);
  return { kind: "accepted", verb: decoded.verb, fence: verdict.record };
}

function refuse(code: string, detail: string): EnvelopeVerdict {
  return { kind: "refused", code, detail };
}
