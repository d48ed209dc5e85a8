import type { Context } from "./context.ts";
import type { Evidence, Family, Finding } from "./evidence.ts";
import { AFTER, BEFORE, NORMAL, type OpNames, type SpanIndex } from "./span-index.ts";
import { binomialSurprise } from "./statistics.ts";
import type { LogTable } from "./telemetry.ts";

/** One thing a request did inside a node, in order: a log line or a span. `label` identifies it across requests. */
interface Step {
  readonly timeUs: number;
  readonly label: number;
}

/** Counts per period: normal, before, after. */
type Counts = [number, number, number];

/** What followed one step, over all requests of one kind. */
interface Follow {
  readonly seen: Counts;
  /** Of those, how many had a call to another node in between. */
  readonly withCall: Counts;
}

interface Transitions {
  readonly from: number;
  readonly seen: Counts;
  readonly next: Map<number, Follow>;
}

/** One kind of request at one node, keyed by the operation it entered by. */
interface RequestKind {
  readonly node: number;
  readonly op: number;
  readonly transitions: Map<number, Transitions>;
}

const START = -1;
const END = -2;
const MIN_BASELINE = 3;
const MIN_AFTER = 2;

interface Change {
  readonly request: RequestKind;
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly after: number;
  readonly count: number;
  readonly surprise: number;
  /** The part of `surprise` seen right after a call to another node: the callee's answer may have changed. */
  readonly inherited: number;
}

/** Log lines that no longer follow, or newly follow, another line in one kind of request. */
export function findLogChange(
  context: Context,
  indexes: readonly SpanIndex[],
  logs: ReadonlyMap<SpanIndex, LogTable>,
  ops: OpNames,
): Finding[] {
  const labels = new Map<string, number>();
  const texts: { text: string; level: string }[] = [{ text: "", level: "" }];
  const kinds = new Map<number, RequestKind>();
  for (const index of indexes) {
    const table = logs.get(index);
    if (table === undefined) continue;
    const labelOf = table.templates.map(({ node, key, text, level }) => {
      const id = `${node}|${key}`;
      let label = labels.get(id);
      if (label === undefined) {
        label = texts.length;
        labels.set(id, label);
        texts.push({ text, level });
      }
      return label;
    });
    // Requests without a single line count too: silence may be the change.
    const steps = new Map<number, Step[]>();
    for (let row = 0; row < index.entry.length; row++) if (index.entry[row] === row) steps.set(row, []);
    for (let row = 0; row < table.template.length; row++) {
      const span = table.span[row]!;
      if (span >= 0)
        append(steps, index.entry[span]!, { timeUs: table.timeMs[row]! * 1000, label: labelOf[table.template[row]!]! });
    }
    countTransitions(index, steps, kinds);
  }
  return toFindings(context, kinds, "logs", ({ request, from, to, before, after, count }) => {
    const { text, level } = texts[Math.max(to, 0)]!;
    const previous = texts[Math.max(from, 0)]!.text;
    const kind = after < before ? "log-template-missing" : "log-template-new";
    return { kind, op: ops.names[request.op]!, text, previous, level, before, after, requests: count };
  });
}

/** Child spans that no longer follow, or newly follow, another in one kind of request. */
export function findStructureChange(context: Context, indexes: readonly SpanIndex[], ops: OpNames): Finding[] {
  const kinds = new Map<number, RequestKind>();
  for (const index of indexes) {
    const { table } = index;
    const steps = new Map<number, Step[]>();
    for (let row = 0; row < table.op.length; row++) {
      const entry = index.entry[row]!;
      if (entry !== row) append(steps, entry, { timeUs: table.startUs[row]!, label: index.opId[table.op[row]!]! });
      else if (!steps.has(row)) steps.set(row, []);
    }
    countTransitions(index, steps, kinds);
  }
  return toFindings(context, kinds, "structure", ({ request, from, to, before, after, count }) => {
    const kind = after < before ? "child-span-missing" : "child-span-new";
    const nameOf = (label: number): string => (label < 0 ? "" : ops.names[label]!);
    return {
      kind,
      op: ops.names[request.op]!,
      child: nameOf(to),
      previous: nameOf(from),
      before,
      after,
      requests: count,
    };
  });
}

function append(steps: Map<number, Step[]>, entry: number, step: Step): void {
  const list = steps.get(entry);
  if (list) list.push(step);
  else steps.set(entry, [step]);
}

function countTransitions(index: SpanIndex, steps: ReadonlyMap<number, Step[]>, kinds: Map<number, RequestKind>): void {
  const { table } = index;
  const calls = index.callStarts;
  for (const [entry, list] of steps) {
    const node = table.node[entry]!;
    if (node < 0) continue;
    const op = index.opId[table.op[entry]!]!;
    let kind = kinds.get(op * 4096 + node);
    if (!kind) {
      kind = { node, op, transitions: new Map() };
      kinds.set(op * 4096 + node, kind);
    }
    list.sort((a, b) => a.timeUs - b.timeUs);
    const period = index.period[entry]!;
    const callTimes = calls.get(entry) ?? [];
    let from = START;
    let fromUs = Number.NEGATIVE_INFINITY;
    for (let i = 0; i <= list.length; i++) {
      const step = list[i];
      const to = step?.label ?? END;
      // Collectors deliver at least once, and loops vary with the input: a step repeated in a row is one step.
      if (to === from) continue;
      const toUs = step?.timeUs ?? Number.POSITIVE_INFINITY;
      // Log times are often cut to the millisecond, so a call within the next one still counts as in between.
      const hasCall = callTimes.some((time) => time >= fromUs && time <= toUs + 1000);
      record(kind, from, to, period, hasCall);
      from = to;
      fromUs = toUs;
    }
  }
}

function record(kind: RequestKind, from: number, to: number, period: number, hasCall: boolean): void {
  let transitions = kind.transitions.get(from);
  if (!transitions) {
    transitions = { from, seen: [0, 0, 0], next: new Map() };
    kind.transitions.set(from, transitions);
  }
  transitions.seen[period]! += 1;
  let follow = transitions.next.get(to);
  if (!follow) {
    follow = { seen: [0, 0, 0], withCall: [0, 0, 0] };
    transitions.next.set(to, follow);
  }
  follow.seen[period]! += 1;
  if (hasCall) follow.withCall[period]! += 1;
}

function toFindings(
  context: Context,
  kinds: ReadonlyMap<number, RequestKind>,
  family: Family,
  explain: (change: Change) => Evidence,
): Finding[] {
  const totals = new Array<number>(context.graph.size).fill(0);
  const inherited = new Array<number>(context.graph.size).fill(0);
  const loudest = new Map<number, Change>();
  for (const request of kinds.values()) {
    let worst: Change | undefined;
    for (const transitions of request.transitions.values()) {
      const change = judge(request, transitions);
      if (change && change.surprise > (worst?.surprise ?? 0)) worst = change;
    }
    if (!worst) continue;
    totals[request.node]! += worst.surprise;
    inherited[request.node]! += worst.inherited;
    if (worst.surprise > (loudest.get(request.node)?.surprise ?? 0)) loudest.set(request.node, worst);
  }
  return [...loudest].map(([node, change]) => {
    const calleesShow = Math.max(0, ...context.graph.callees[node]!.map((callee) => totals[callee]!));
    const own = totals[node]! - Math.min(inherited[node]!, calleesShow);
    return { node, family, magnitude: Math.max(0, own), evidence: explain(change) };
  });
}

/**
 * The most surprising change in what follows one step. Three things make a change count: it is more than chance (binomial
 * log-likelihood ratio); it breaks what was (nearly) an invariant, since a rate between never and always depends on the mix
 * of inputs; and no call to another node lies in between, since after a call the callee's answer may have changed.
 */
function judge(request: RequestKind, { from, seen, next }: Transitions): Change | undefined {
  const useBefore = seen[NORMAL] < MIN_BASELINE;
  const base = seen[NORMAL] + (useBefore ? seen[BEFORE] : 0);
  if (base < MIN_BASELINE || seen[AFTER] < MIN_AFTER) return undefined;
  let best: Change | undefined;
  let afterCalls = 0;
  for (const follow of next.values()) afterCalls += follow.withCall[AFTER];
  for (const [to, follow] of next) {
    const hits = follow.seen[NORMAL] + (useBefore ? follow.seen[BEFORE] : 0);
    const lost = follow.seen[AFTER] / seen[AFTER] < hits / base;
    const violators = lost ? seen[AFTER] - follow.seen[AFTER] : follow.seen[AFTER];
    if (violators === 0) continue;
    const called = lost ? afterCalls - follow.withCall[AFTER] : follow.withCall[AFTER];
    const rate = (hits + 0.5) / (base + 1);
    const invariance = (2 * rate - 1) ** 2;
    const chance = binomialSurprise(follow.seen[AFTER], seen[AFTER], hits, base);
    const surprise = chance * invariance;
    if (surprise > (best?.surprise ?? 0)) {
      best = {
        request,
        from,
        to,
        before: hits / base,
        after: follow.seen[AFTER] / seen[AFTER],
        count: seen[AFTER],
        surprise,
        inherited: (surprise * called) / violators,
      };
    }
  }
  return best;
}
