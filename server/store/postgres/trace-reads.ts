import type { ReadStore } from "../../ports/store.ts";
import type { ErrorTrace, TraceGroupView } from "../../protocol/index.ts";
import { clampLimit } from "../shared/pages.ts";
import type { Database } from "./prisma-client.ts";

type TraceFilter = Parameters<ReadStore["traceGroups"]>[0];

export async function readTraceGroups(database: Database, filter: TraceFilter): Promise<readonly TraceGroupView[]> {
  const rows = await database.traceGroup.findMany({
    where: {
      nodes: filter.node === undefined ? undefined : { has: filter.node },
      lastSeenAt: { gte: filter.fromMs },
      firstSeenAt: { lte: filter.toMs },
    },
    orderBy: [{ lastSeenAt: "desc" }, { id: "asc" }],
    take: clampLimit(filter.limit),
  });
  return rows.map((row) => ({
    ...row,
    count: Number(row.count),
    frames: row.frames as unknown as TraceGroupView["frames"],
  }));
}

export async function readTraceExamples(database: Database, groupId: string) {
  const rows = await database.traceExample.findMany({
    where: { groupId },
    orderBy: [{ at: "desc" }, { node: "asc" }],
    select: { node: true, at: true, trace: true },
  });
  return rows.map((row) => ({ ...row, trace: row.trace as unknown as ErrorTrace }));
}
