import { attributeChanges } from "./behaviour-change.ts";
import type { Change, ErrorTest } from "./behaviour-surprise.ts";
import type { Context } from "./context.ts";
import type { BehaviourChange, Family, Finding } from "./evidence.ts";
import type { OpNames, SpanIndex } from "./span-index.ts";
import type { LogTable } from "./telemetry.ts";
import { buildSteps, countTransitions, type RequestKind } from "./transitions.ts";

/** What requests did, counted by kind of request, and how to put a change of it in words. */
export interface Behaviour {
  readonly family: Family;
  readonly kinds: ReadonlyMap<number, RequestKind>;
  readonly phrase: (change: Change) => Described;
  readonly isError: ErrorTest;
}

/**
 * Log lines that follow one another in each kind of request. Source of the idea: Yu et al., "Nezha", ESEC/FSE 2023 (event
 * pairs before and after a fault), here as transition counts.
 */
export function observeLogs(indexes: readonly SpanIndex[], logs: ReadonlyMap<SpanIndex, LogTable>): Behaviour {
  const lines = new LineLabels();
  const kinds = new Map<number, RequestKind>();
  for (const index of indexes) {
    const table = logs.get(index);
    if (table === undefined) continue;
    const labelOf = table.templates.map((template) => lines.labelOf(template));
    const entryOf = Int32Array.from(table.span, (span) => (span < 0 ? -1 : index.entry[span]!));
    const timesUs = Float64Array.from(table.timeMs, (time) => time * 1000);
    const labels = Int32Array.from(table.template, (template) => labelOf[template]!);
    countTransitions(index, buildSteps(index, entryOf, timesUs, labels), kinds);
  }
  const phrase = ({ from, to, before, after }: Change): Described => ({
    kind: after < before ? "log-template-missing" : "log-template-new",
    ...lines.lineOf(to),
    previous: lines.lineOf(from).text,
  });
  return { family: "logs", kinds, phrase, isError: (label) => ERROR_LEVEL.test(lines.lineOf(label).level) };
}

/** Spans that follow one another inside each kind of request. */
export function observeStructure(indexes: readonly SpanIndex[], ops: OpNames): Behaviour {
  const kinds = new Map<number, RequestKind>();
  for (const index of indexes) {
    const { table, opId } = index;
    const entryOf = index.entry.map((entry, row) => (entry === row ? -1 : entry));
    const labels = Int32Array.from(table.op, (op) => opId[op]!);
    countTransitions(index, buildSteps(index, entryOf, Float64Array.from(table.startUs), labels), kinds);
  }
  const nameOf = (label: number): string => ops.names[label] ?? "";
  const phrase = ({ from, to, before, after }: Change): Described => ({
    kind: after < before ? "child-span-missing" : "child-span-new",
    child: nameOf(to),
    previous: nameOf(from),
  });
  return { family: "structure", kinds, phrase, isError: (label) => ERROR_NAME.test(nameOf(label)) };
}

/** Nodes whose requests no longer do what they did. */
export function findBehaviourChange(
  context: Context,
  { family, kinds, phrase, isError }: Behaviour,
  ops: OpNames,
): Finding[] {
  return attributeChanges(context.graph, kinds.values(), context.onset, isError).map(
    ({ node, magnitude, loudest, seenBy }) => {
      const { request, before, after, count } = loudest;
      const witnesses = seenBy?.map((caller) => context.window.nodes[caller]!) ?? [];
      const change: BehaviourChange = {
        op: ops.names[request.op]!,
        previous: "",
        before,
        after,
        requests: count,
        seenBy: witnesses,
      };
      return { node, family, magnitude, evidence: { ...change, ...phrase(loudest) } };
    },
  );
}

/** The part of the evidence that depends on what was observed. */
type Described =
  | { kind: "child-span-missing" | "child-span-new"; child: string; previous: string }
  | { kind: "log-template-missing" | "log-template-new"; text: string; level: string; previous: string };

const ERROR_LEVEL = /error|fatal|critical|severe|panic/i;
const ERROR_NAME = /error|exception|failure/i;

/** One number per log line of a node, the same in every period. */
class LineLabels {
  readonly #labels = new Map<string, number>();
  readonly #lines: { text: string; level: string }[] = [];

  labelOf({ node, key, text, level }: LogTable["templates"][number]): number {
    const id = `${node}|${key}`;
    const known = this.#labels.get(id);
    if (known !== undefined) return known;
    this.#labels.set(id, this.#lines.length);
    this.#lines.push({ text, level });
    return this.#lines.length - 1;
  }

  /** Empty for the start and the end of a request. */
  lineOf(label: number): { text: string; level: string } {
    return this.#lines[label] ?? { text: "", level: "" };
  }
}
