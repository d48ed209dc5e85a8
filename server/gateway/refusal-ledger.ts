import type { RefusedKind, RefusedPart, RefusedParts } from "../protocol/index.ts";

/** Kinds of refusals told apart of one node: the newest. */
const kindsKept = 8;
const logEveryMs = 60_000;

interface Node {
  count: number;
  loggedMs: number;
  readonly byPart: Map<RefusedKind, number>;
  /** `part place why` → how often, and when last; the newest stands last. */
  readonly kinds: Map<string, RefusedPart & { readonly count: number; readonly lastAt: number }>;
}

/**
 * What was left out of frames, by node, since this process started: counts of everything, words of the newest kinds. Only enrolled nodes are
 * in it, and of each no more than a handful of lines.
 */
export class RefusalLedger {
  readonly #nodes = new Map<string, Node>();

  /** True when it is time to say so in the log again. */
  add(node: string, parts: readonly RefusedPart[], wallMs: number, monoMs: number): boolean {
    const known = this.#nodes.get(node) ?? {
      count: 0,
      loggedMs: Number.NEGATIVE_INFINITY,
      byPart: new Map(),
      kinds: new Map(),
    };
    this.#nodes.set(node, known);
    for (const part of parts) {
      const key = `${part.part} ${part.place} ${part.why}`;
      const count = (known.kinds.get(key)?.count ?? 0) + 1;
      known.kinds.delete(key);
      known.kinds.set(key, { ...part, count, lastAt: wallMs });
      known.byPart.set(part.part, (known.byPart.get(part.part) ?? 0) + 1);
      known.count += 1;
      const [oldest] = known.kinds.keys();
      if (known.kinds.size > kindsKept && oldest !== undefined) known.kinds.delete(oldest);
    }
    if (monoMs - known.loggedMs < logEveryMs) return false;
    known.loggedMs = monoMs;
    return true;
  }

  /** Null when nothing of this node was refused. */
  read(node: string): RefusedParts | null {
    const known = this.#nodes.get(node);
    return known === undefined ? null : { count: known.count, kinds: [...known.kinds.values()].reverse() };
  }

  counts(): { readonly node: string; readonly part: RefusedKind; readonly count: number }[] {
    return [...this.#nodes].flatMap(([node, { byPart }]) =>
      [...byPart].map(([part, count]) => ({ node, part, count })),
    );
  }
}
