import type { RingNode } from "../../server/core/index.ts";

const name = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,99}$/;

/** One node a line: `name [weight] [zone]`. `wrongLine` counts from 1. */
export function parseNodes(text: string): { nodes: RingNode[]; wrongLine: number | null } {
  const nodes: RingNode[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line
      .trim()
      .split(/[\s,;]+/)
      .filter((word) => word !== "");
    const [id, second, third] = words;
    if (id === undefined) continue;
    const weighted = second !== undefined && /^\d+(\.\d+)?$/.test(second);
    const weight = weighted ? Number(second) : 1;
    const zone = (weighted ? third : second) ?? null;
    const fits = name.test(id) && (zone === null || name.test(zone)) && weight <= 1_000;
    if (!fits || words.length > (weighted ? 3 : 2) || nodes.some((node) => node.id === id))
      return { nodes, wrongLine: index + 1 };
    nodes.push({ id, weight, zone });
  }
  return { nodes, wrongLine: null };
}
