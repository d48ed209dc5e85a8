import { randomBytes } from "node:crypto";
import type { NodeRecord } from "../core/index.ts";
import type { AgentIntake } from "../ports/agent-link.ts";
import type { Clock } from "../ports/clock.ts";
import type { AgentDirectory } from "../ports/store.ts";
import { type ChallengeFrame, type HelloFrame, handshakeText, limits, type ProofFrame } from "../protocol/index.ts";
import { hashToken } from "../protocol/token-hash.ts";
import { readPublicKey, type ServerIdentity, verifySignature } from "./server-identity.ts";

export interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly detail: string;
}

export interface HandshakeParts {
  readonly identity: ServerIdentity;
  readonly directory: AgentDirectory;
  readonly intake: AgentIntake;
  readonly clock: Clock;
  /** Names and keys that are being enrolled right now: the durable state does not know them yet. */
  readonly enrolling: Set<string>;
}

/** Judges the greeting before any secret is used; the answer proves our key and asks for the agent's. */
export function challenge(
  { identity, intake }: HandshakeParts,
  hello: HelloFrame,
): { readonly ok: true; readonly frame: ChallengeFrame } | Refusal {
  if (hello.protocol !== limits.protocolVersion) {
    const wanted = limits.protocolVersion;
    return refuse(
      "protocol",
      `this server speaks protocol ${wanted}, the agent ${hello.protocol}: install the agent of this release`,
    );
  }
  if (!intake.isReady())
    return refuse("store-unavailable", "the control plane has not read its state yet; try again in a moment");
  if (readPublicKey(hello.agentKey) === null)
    return refuse("key-invalid", "agentKey is not an Ed25519 public key in base64url");
  const known = intake.findNodeByKey(hello.agentKey);
  if (known === null && hello.enrolmentToken === undefined) {
    return refuse(
      "key-unknown",
      "this key is not enrolled: make a token with `holdfast token create` and put it into the agent's configuration",
    );
  }
  const nonce = randomBytes(32).toString("base64url");
  const text = handshakeText("server", {
    agentNonce: hello.nonce,
    serverNonce: nonce,
    agentKey: hello.agentKey,
    serverKey: identity.publicKey,
  });
  return { ok: true, frame: { t: "challenge", nonce, serverKey: identity.publicKey, signature: identity.sign(text) } };
}

/** Checks the agent's signature over both nonces, then finds its node or enrols it by the token. */
export async function admit(
  parts: HandshakeParts,
  hello: HelloFrame,
  serverNonce: string,
  proof: ProofFrame,
): Promise<{ readonly ok: true; readonly node: NodeRecord } | Refusal> {
  const text = handshakeText("agent", {
    agentNonce: hello.nonce,
    serverNonce,
    agentKey: hello.agentKey,
    serverKey: parts.identity.publicKey,
  });
  if (!verifySignature(hello.agentKey, text, proof.signature)) {
    return refuse("bad-proof", "the signature does not belong to the key");
  }
  const known = parts.intake.findNodeByKey(hello.agentKey);
  if (known === null) return enrol(parts, hello);
  if (known.revokedAt !== null) return refuse("key-revoked", `the key of ${known.id} was revoked`);
  if (known.id !== hello.node) return refuse("name-taken", `this key is enrolled as ${known.id}, not as ${hello.node}`);
  return { ok: true, node: known };
}

/** Of two agents with one name, or two names with one key, the first has it; the other keeps its token. */
async function enrol(
  parts: HandshakeParts,
  hello: HelloFrame,
): Promise<{ readonly ok: true; readonly node: NodeRecord } | Refusal> {
  const { intake, enrolling } = parts;
  const claims = [`name:${hello.node}`, `key:${hello.agentKey}`];
  if (intake.findNode(hello.node) !== null || claims.some((claim) => enrolling.has(claim))) {
    return refuse("name-taken", `a node named ${hello.node} is enrolled with another key: choose another name`);
  }
  for (const claim of claims) enrolling.add(claim);
  try {
    return await spendToken(parts, hello);
  } finally {
    for (const claim of claims) enrolling.delete(claim);
  }
}

async function spendToken(
  { directory, intake, clock }: HandshakeParts,
  hello: HelloFrame,
): Promise<{ readonly ok: true; readonly node: NodeRecord } | Refusal> {
  const now = clock.wallMs();
  const consumed = await directory.consumeEnrolmentToken(await hashToken(hello.enrolmentToken ?? ""), now);
  if (!consumed.ok) return refuse(consumed.code, "make a new token with `holdfast token create`");
  if (consumed.node !== null && consumed.node !== hello.node) {
    return refuse("token-scope", `the token was made for ${consumed.node}, not for ${hello.node}`);
  }
  const node: NodeRecord = {
    id: hello.node,
    publicKey: hello.agentKey,
    zone: hello.zone,
    // What the token says stands above what the agent says of itself.
    labels: { ...hello.labels, ...consumed.labels },
    enrolledAt: now,
    revokedAt: null,
    maintenance: null,
  };
  if (await intake.enrol(node)) return { ok: true, node };
  return refuse("store-unavailable", "the enrolment could not be stored; make a new token and try again");
}

function refuse(code: string, detail: string): Refusal {
  return { ok: false, code, detail };
}
