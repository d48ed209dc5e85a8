/** What people ask of key spaces. Every change is audited with what was before. */
import { type DocumentOf, getDocument, listDocuments, putDocument } from "../documents.ts";
import { appendAudit, type Draft } from "../draft.ts";
import type { Actor } from "../event.ts";
import type { RingChange } from "./change-nodes.ts";
import { KEY_SPACE_LIMITS, type KeySpaceRefusal, planHash, refuseNodes, resolveChanges } from "./key-space.ts";
import type { RingNode, RingSpec } from "./types.ts";

export type KeySpaceRequest =
  | {
      readonly kind: "register-key-space";
      readonly id: string;
      readonly spec: RingSpec;
      readonly copies: number;
      readonly keys: number | null;
      readonly bytes: number | null;
      readonly reason: string;
    }
  | {
      readonly kind: "change-key-space";
      readonly id: string;
      readonly changes: readonly RingChange[];
      readonly planHash: string;
      readonly reason: string;
    }
  | {
      readonly kind: "count-key-space";
      readonly id: string;
      readonly keys: number | null;
      readonly bytes: number | null;
    }
  | { readonly kind: "remove-key-space"; readonly id: string; readonly reason: string };

type Data = Readonly<Record<string, string | number | boolean | null>>;
type Answer =
  | { readonly ok: true; readonly data: Data }
  | { readonly ok: false; readonly code: string; readonly data: Data };
type KeySpace = DocumentOf<"key-space">;

const refuse = (code: string, data: Data = {}): Answer => ({ ok: false, code, data });

export function answerKeySpaceRequest(draft: Draft, request: KeySpaceRequest, actor: Actor): Answer {
  if (request.kind === "register-key-space") return register(draft, request, actor);
  const space = getDocument(draft, "key-space", request.id);
  if (space === null) return refuse("unknown-key-space", { "key-space": request.id });
  switch (request.kind) {
    case "change-key-space":
      return change(draft, space, request, actor);
    case "count-key-space": {
      const { keys, bytes } = request;
      putDocument(draft, { ...space, keys, bytes });
      audit(draft, actor, "key-space-counted", space.id, { keys: space.keys, bytes: space.bytes }, { keys, bytes }, "");
      return { ok: true, data: { epoch: space.epoch } };
    }
    case "remove-key-space":
      putDocument(draft, { ...space, closedAt: draft.now.wallMs });
      audit(draft, actor, "key-space-removed", space.id, describeNodes(space.nodes), null, request.reason);
      return { ok: true, data: { epoch: space.epoch } };
    default:
      return request satisfies never;
  }
}

function register(
  draft: Draft,
  request: Extract<KeySpaceRequest, { kind: "register-key-space" }>,
  actor: Actor,
): Answer {
  const { id, spec, copies, keys, bytes, reason } = request;
  if (getDocument(draft, "key-space", id) !== null) return refuse("key-space-exists", { "key-space": id });
  if (listDocuments(draft, "key-space").length >= KEY_SPACE_LIMITS.spaces) {
    return refuse("too-many-key-spaces", { limit: KEY_SPACE_LIMITS.spaces });
  }
  const refusal = refuseNodes(spec.nodes, spec.vnodes);
  if (refusal !== null) return refuseAs(refusal);
  putDocument(draft, {
    kind: "key-space",
    id,
    openedAt: draft.now.wallMs,
    closedAt: null,
    ...spec,
    copies,
    keys,
    bytes,
    epoch: 1,
    changedAt: draft.now.wallMs,
    changedBy: actor.name,
    reason,
    previous: [],
  });
  audit(draft, actor, "key-space-registered", id, null, { epoch: 1, ...describeNodes(spec.nodes) }, reason);
  return { ok: true, data: { epoch: 1 } };
}

function change(
  draft: Draft,
  space: KeySpace,
  request: Extract<KeySpaceRequest, { kind: "change-key-space" }>,
  actor: Actor,
): Answer {
  const { nodes, refusal } = resolveChanges(space, request.changes);
  if (refusal !== null) return refuseAs(refusal);
  const now = planHash(space, nodes);
  if (now !== request.planHash) return refuse("plan-changed", { shown: request.planHash, now });
  const { epoch, changedAt, changedBy, reason } = space;
  const version = { epoch, nodes: space.nodes, at: changedAt, by: changedBy, reason };
  putDocument(draft, {
    ...space,
    nodes,
    epoch: epoch + 1,
    changedAt: draft.now.wallMs,
    changedBy: actor.name,
    reason: request.reason,
    previous: [version, ...space.previous].slice(0, KEY_SPACE_LIMITS.previous),
  });
  audit(
    draft,
    actor,
    "key-space-changed",
    space.id,
    { epoch, ...describeNodes(space.nodes) },
    { epoch: epoch + 1, ...describeNodes(nodes) },
    request.reason,
  );
  return { ok: true, data: { epoch: epoch + 1 } };
}

function refuseAs({ code, ...data }: KeySpaceRefusal): Answer {
  return refuse(code, data as Data);
}

/** `{ "node a": 1 }`: the audit then shows node by node what became different. */
function describeNodes(nodes: readonly RingNode[]): Record<string, number> {
  return Object.fromEntries(nodes.map(({ id, weight }) => [`node ${id}`, weight]));
}

function audit(
  draft: Draft,
  actor: Actor,
  verb: string,
  id: string,
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>> | null,
  reason: string,
): void {
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb,
    subject: `key-space:${id}`,
    before,
    after,
    reason,
  });
}
