import type { DocumentOf, RingChange } from "../core/index.ts";
import { buildRing } from "../core/ring/build-ring.ts";
import { planKeySpace } from "../core/ring/key-space.ts";
import { keyPosition } from "../core/ring/locate.ts";
import { balance, fairShares, ownershipShares } from "../core/ring/ownership.ts";
import type { Ring } from "../core/ring/types.ts";
import { walkReplicas } from "../core/ring/walk-replicas.ts";
import type { KeyLocationView, KeySpacePlanView, KeySpaceView } from "../protocol/index.ts";
import { Problem } from "./problem.ts";

type KeySpace = DocumentOf<"key-space">;

/** Rings of key spaces as they are now; building one takes milliseconds, a look-up less than one of them. */
const rings = new Map<string, { readonly space: KeySpace; readonly ring: Ring }>();
const ringsKept = 16;

function ringOf(space: KeySpace): Ring {
  const kept = rings.get(space.id);
  if (kept?.space === space) return kept.ring;
  const ring = buildRing(space);
  rings.delete(space.id);
  rings.set(space.id, { space, ring });
  const [oldest] = rings.keys();
  if (rings.size > ringsKept && oldest !== undefined) rings.delete(oldest);
  return ring;
}

export function describeKeySpace(space: KeySpace): KeySpaceView {
  const { kind: _kind, openedAt, closedAt: _closedAt, ...record } = space;
  const ring = ringOf(space);
  const shares = ownershipShares(ring);
  return {
    ...record,
    registeredAt: openedAt,
    ownership: ring.nodes.map((node, i) => ({ ...node, share: shares[i]! })),
    balance: balance(shares, fairShares(ring.nodes)),
  };
}

export function locateKey(space: KeySpace, key: string, copies: number): KeyLocationView {
  const ring = ringOf(space);
  const position = keyPosition(ring, key);
  const walk = walkReplicas(ring, position, copies);
  const holders = walk.filter((step) => step.copy !== null).sort((a, b) => a.copy! - b.copy!);
  return {
    key,
    position,
    epoch: space.epoch,
    owner: holders[0]?.node ?? null,
    copies: holders.map(({ node }) => node),
    walk,
  };
}

/** @throws Problem when the changes can't be made */
export function planChanges(space: KeySpace, changes: readonly RingChange[]): KeySpacePlanView {
  const plan = planKeySpace(space, changes);
  if (plan.refusal !== null) {
    const { code, ...data } = plan.refusal;
    throw new Problem(409, code, `The change can't be made: ${code.replaceAll("-", " ")}.`, data);
  }
  const { ranges: _ranges, ...whatIf } = plan.whatIf;
  const part = (total: number | null, share: number) => (total === null ? null : Math.round(total * share));
  return {
    keySpace: space.id,
    epoch: space.epoch,
    planHash: plan.planHash,
    changes,
    ...whatIf,
    keysMoved: part(space.keys, whatIf.movedShare),
    bytesCopied: part(space.bytes, whatIf.copiedShare),
    moduloKeysMoved: part(space.keys, whatIf.moduloShare),
    moduloBytesCopied: part(space.bytes, whatIf.moduloShare * Math.max(1, space.copies)),
    command: `holdfast ring plan ${space.id} ${changes.map(describeChange).join(" ")}`,
  };
}

function describeChange(change: RingChange): string {
  switch (change.kind) {
    case "add": {
      const { id, weight, zone } = change.node;
      return `--add ${id}=${weight}${zone === null ? "" : `@${zone}`}`;
    }
    case "weight":
      return `--weight ${change.id}=${change.weight}`;
    default:
      return `--${change.kind} ${change.id}`;
  }
}
