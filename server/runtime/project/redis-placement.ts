import type { RedisMemberView } from "../../protocol/index.ts";

type Placed = Pick<RedisMemberView, "id" | "node" | "role" | "shard">;

/** A node with more than one master: with it goes more than one shard, and of three masters nobody is left to vote. Elections bring that about. */
export function findSharedNode(members: readonly Placed[]): { node: string; masters: string } | null {
  const masters = members.filter(({ role, shard }) => role === "master" && (shard?.slotCount ?? 0) > 0);
  const [node] = masters.map((member) => member.node).filter((each, index, all) => all.indexOf(each) !== index);
  if (node === undefined) return null;
  return {
    node,
    masters: masters
      .filter((member) => member.node === node)
      .map(({ id }) => id)
      .join(", "),
  };
}
