import type { RingChange } from "../../server/core/index.ts";

/** Changes in the address: `drain~c`, `weight~a~2`, `add~e~1~east`, `remove~d`. */
export function formatChange(change: RingChange): string {
  switch (change.kind) {
    case "add":
      return ["add", change.node.id, change.node.weight, change.node.zone ?? ""].join("~");
    case "weight":
      return ["weight", change.id, change.weight].join("~");
    default:
      return `${change.kind}~${change.id}`;
  }
}

/** Null: not a change, somebody typed it. */
export function parseChange(text: string): RingChange | null {
  const [kind, id, weightText, zone] = text.split("~");
  if (id === undefined || id === "") return null;
  const weight = Number(weightText ?? 1);
  switch (kind) {
    case "add":
      return weight >= 0 ? { kind, node: { id, weight, zone: zone === undefined || zone === "" ? null : zone } } : null;
    case "weight":
      return weight >= 0 ? { kind, id, weight } : null;
    case "drain":
    case "remove":
      return { kind, id };
    default:
      return null;
  }
}

/** The node a change is about. */
export function changedNode(change: RingChange): string {
  return change.kind === "add" ? change.node.id : change.id;
}

/** A later change of the same node takes the place of the earlier one. */
export function withChange(changes: readonly RingChange[], change: RingChange): RingChange[] {
  return [...changes.filter((other) => changedNode(other) !== changedNode(change)), change];
}
