import { emptySpans, noneDropped } from "./telemetry-frame.ts";

/** What was left out of a frame because it is not as the wire wants it. */
export interface RefusedPart {
  /** `record`, `gauge`, `spans`, …: what a person knows it by. */
  readonly part: RefusedKind;
  /** The property that is wrong, below the part: `trace.language`; empty for the part itself. */
  readonly place: string;
  readonly why: RefusedWhy;
}

export type RefusedKind =
  | "record"
  | "service"
  | "gauge"
  | "requests"
  | "calls"
  | "second"
  | "log"
  | "spans"
  | "dropped"
  | "connections"
  | "check"
  | "workload"
  | "host"
  | "progress"
  | "telemetry";

export type RefusedWhy =
  | "wrong-type"
  | "too-large"
  | "too-small"
  | "bad-format"
  | "unknown-value"
  | "too-often"
  | "invalid";

/** All that was left out of a node's frames since the control plane started. */
export interface RefusedParts {
  readonly count: number;
  /** The newest kinds, the newest first; not all of them. */
  readonly kinds: readonly (RefusedPart & { readonly count: number; readonly lastAt: number })[];
}

/** What the decoder says is wrong, and where. */
export interface FrameIssue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
}

interface Droppable {
  readonly part: RefusedKind;
  /** `*`: any position of a list. */
  readonly path: readonly string[];
  /** Stands in its place; without it the list gets shorter. */
  readonly instead?: unknown;
}

/**
 * Parts that others can do without, by the frame's `t`, inner ones first. What judgements of databases are made of is not among them: half a
 * status could be taken for a whole one.
 */
const droppables = new Map<unknown, readonly Droppable[]>(
  Object.entries({
    // A record keeps its number: the spool goes on behind it. JSON can't say undefined, so no agent can leave one out unseen.
    records: [{ part: "record", path: ["records", "*"], instead: undefined }],
    telemetry: [
      { part: "service", path: ["services", "*"] },
      { part: "service", path: ["services"], instead: [] },
      { part: "gauge", path: ["gauges", "*"] },
      { part: "gauge", path: ["gauges"], instead: [] },
      { part: "requests", path: ["buckets", "*", "requests", "*"] },
      { part: "calls", path: ["buckets", "*", "calls", "*"] },
      { part: "second", path: ["buckets", "*"] },
      { part: "second", path: ["buckets"], instead: [] },
      { part: "log", path: ["logs", "*"] },
      { part: "log", path: ["logs"], instead: [] },
      { part: "spans", path: ["spans"], instead: emptySpans },
      { part: "dropped", path: ["dropped"], instead: noneDropped },
      { part: "connections", path: ["connections"], instead: undefined },
    ],
    heartbeat: [
      { part: "check", path: ["checks", "*"] },
      { part: "workload", path: ["workloads", "*"] },
      { part: "host", path: ["host"], instead: null },
    ],
  }),
);

/** Frames that are left out as a whole when nothing in them can be kept; nobody waits for an answer to them. */
export const dispensable = new Map<unknown, RefusedKind>(
  Object.entries({ telemetry: "telemetry", progress: "progress" }),
);

/**
 * Takes what is wrong out of a frame, in place. Answers with the parts that went, or with null when an issue lies where nothing can be left
 * out.
 */
export function dropRefused(frame: Record<string, unknown>, issues: readonly FrameIssue[]): RefusedPart[] | null {
  const known = droppables.get(frame.t) ?? [];
  const refused: RefusedPart[] = [];
  const seen = new Set<string>();
  const shortened = new Set<unknown[]>();
  for (const issue of issues) {
    const found = known.find(({ path }) => leadsTo(path, issue.path));
    if (found === undefined) return null;
    const at = issue.path.slice(0, found.path.length);
    const key = at.join(".");
    // The first issue of a part says enough.
    if (seen.has(key)) continue;
    seen.add(key);
    refused.push({ part: found.part, place: placeOf(issue.path.slice(at.length)), why: whyOf(issue.code) });
    const holder = at.slice(0, -1).reduce<unknown>(read, frame);
    // What it stood in is out already.
    if (holder === null || typeof holder !== "object") continue;
    (holder as Record<PropertyKey, unknown>)[at.at(-1) as PropertyKey] = "instead" in found ? found.instead : gone;
    if (Array.isArray(holder) && !("instead" in found)) shortened.add(holder);
  }
  for (const list of shortened) list.splice(0, list.length, ...list.filter((item) => item !== gone));
  return refused;
}

export function whyOf(code: string): RefusedWhy {
  switch (code) {
    case "invalid_type":
      return "wrong-type";
    case "too_big":
      return "too-large";
    case "too_small":
      return "too-small";
    case "invalid_format":
      return "bad-format";
    case "invalid_value":
    case "invalid_union":
      return "unknown-value";
    default:
      return "invalid";
  }
}

/** Property names of the issue; positions in lists would tell every record from the next. */
export function placeOf(path: readonly PropertyKey[]): string {
  return path
    .filter((step) => typeof step === "string")
    .join(".")
    .slice(0, 60);
}

const gone = Symbol("refused");

function leadsTo(pattern: readonly string[], path: readonly PropertyKey[]): boolean {
  if (pattern.length > path.length) return false;
  return pattern.every((step, i) => (step === "*" ? typeof path[i] === "number" : step === path[i]));
}

function read(value: unknown, step: PropertyKey): unknown {
  return value === null || typeof value !== "object" ? undefined : (value as Record<PropertyKey, unknown>)[step];
}
