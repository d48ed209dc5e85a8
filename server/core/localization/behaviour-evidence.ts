import { attributeChanges } from "./behaviour-change.ts";
import type { Change, ErrorTest } from "./behaviour-surprise.ts";
import type { Context } from "./context.ts";
import type { BehaviourChange, Family, Finding } from "./evidence.ts";
import type { OpNames, SpanIndex } from "./span-index.ts";
import type { LogTable } from "./telemetry.ts";
import { countTransitions, type RequestKind, type Step } from "./transitions.ts";

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
    const steps = entrySteps(index);
    for (let row = 0; row < table.template.length; row++) {
      const span = table.span[row]!;
      if (span < 0) continue;
      steps.get(index.entry[span]!)?.push({ timeUs: table.timeMs[row]! * 1000, label: labelOf[table.template[row]!]! });
    }
    countTransitions(index, steps, kinds);
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
    const { table } = index;
    const steps = entrySteps(index);
    for (let row = 0; row < table.op.length; row++) {
      const entry = index.entry[row]!;
      if (entry !== row) steps.get(entry)!.push({ timeUs: table.startUs[row]!, label: index.opId[table.op[row]!]! });
    }
    countTransitions(index, steps, kinds);
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

/** An empty list for every request: one that shows nothing counts too, silence may be the change. */
function entrySteps(index: SpanIndex): Map<number, Step[]> {
  const steps = new Map<number, Step[]>();
  for (let row = 0; row < index.entry.length; row++) if (index.entry[row] === row) steps.set(row, []);
  return steps;
}

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
