import type { MetricKind } from "./metric-kind.ts";

/**
 * One reason to suspect a node, as code and data: the reader's language is the screen's business.
 * Times are milliseconds, shares are 0..1, counts are spans or log lines.
 */
export type Evidence =
  | { kind: "resource-excess"; resource: MetricKind; metric: string; before: number; after: number; typical: number }
  | { kind: "excess-latency"; metric: string; before: number; after: number; amount: number; share: number }
  | { kind: "lost-requests"; metric: string; before: number; after: number; amount: number; share: number }
  | { kind: "new-dependency"; callee: string; share: number }
  | { kind: "self-time-excess"; op: string; beforeMs: number; afterMs: number; spans: number }
  | {
      kind: "network-gap";
      source: "spans" | "edge-metrics";
      peers: readonly string[];
      beforeMs: number;
      afterMs: number;
    }
  | ({ kind: "child-span-missing" | "child-span-new"; child: string } & BehaviourChange)
  | ({ kind: "log-template-missing" | "log-template-new"; text: string; level: string } & BehaviourChange);

/** Requests of one kind (`op`) in which something follows, or no longer follows, `previous`; rates are 0..1. */
export interface BehaviourChange {
  readonly op: string;
  readonly previous: string;
  readonly before: number;
  readonly after: number;
  readonly requests: number;
  /** The callers that changed right after calling this node, when they are the witnesses. */
  readonly seenBy: readonly string[];
}

/** Kinds of evidence that are weighed apart. */
export const FAMILIES = [
  "cpu",
  "memory",
  "disk",
  "latency",
  "symptom-latency",
  "errors",
  "self-time",
  "network-gap",
  "structure",
  "logs",
] as const;

export type Family = (typeof FAMILIES)[number];

/** `magnitude` ≥ 0 in the family's own unit (users' time, lost requests, surprise…); fusion makes them comparable. */
export interface Finding {
  readonly node: number;
  readonly family: Family;
  readonly magnitude: number;
  readonly evidence: Evidence;
}
