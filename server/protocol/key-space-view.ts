import type { KeySpaceRecord, OwnershipChange, RingChange, RingNode } from "../core/index.ts";

/** A key space with who owns how much of it. */
export interface KeySpaceView extends KeySpaceRecord {
  readonly id: string;
  readonly registeredAt: number;
  readonly ownership: readonly (RingNode & { readonly share: number })[];
  /** Fullest node over its fair share. */
  readonly balance: number | null;
}

/** Where a key belongs and why: every node met on the way around the circle. */
export interface KeyLocationView {
  readonly key: string;
  readonly position: number;
  readonly epoch: number;
  readonly owner: string | null;
  /** Nodes that hold its copies, the owner first. */
  readonly copies: readonly string[];
  readonly walk: readonly {
    readonly node: string;
    readonly zone: string | null;
    readonly position: number;
    readonly copy: number | null;
    readonly why: "owner" | "new-zone" | "zone-taken" | "no-zone-left";
    readonly atBound: boolean;
  }[];
}

/** What a change would move, judged now. Applying it under another hash is refused. */
export interface KeySpacePlanView {
  readonly keySpace: string;
  readonly epoch: number;
  readonly planHash: string;
  readonly changes: readonly RingChange[];
  readonly ownership: readonly OwnershipChange[];
  readonly flows: readonly { readonly from: string | null; readonly to: string | null; readonly share: number }[];
  readonly movedShare: number;
  readonly copiedShare: number;
  readonly minimalShare: number;
  readonly moduloShare: number;
  readonly evenSplitShare: number;
  readonly balanceBefore: number | null;
  readonly balanceAfter: number | null;
  /** Null where nobody has said how much lies in the key space. */
  readonly keysMoved: number | null;
  readonly bytesCopied: number | null;
  readonly moduloKeysMoved: number | null;
  readonly moduloBytesCopied: number | null;
  /** The same by command line. */
  readonly command: string;
}
