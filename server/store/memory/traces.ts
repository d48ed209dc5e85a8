import type { ErrorTrace, TraceGroupView } from "../../protocol/index.ts";
import { fingerprintTrace } from "../shared/trace-groups.ts";
import type { MemoryTables } from "./tables.ts";

export function recordTrace(tables: MemoryTables, node: string, at: number, trace: ErrorTrace): void {
  const { id, why } = fingerprintTrace(trace);
  const known = tables.traceGroups.get(id);
  const group: TraceGroupView = {
    id,
    service: trace.service,
    language: trace.language,
    type: trace.type,
    message: known?.message ?? trace.message,
    frames: known?.frames ?? trace.frames,
    count: (known?.count ?? 0) + trace.count,
    firstSeenAt: Math.min(known?.firstSeenAt ?? at, at),
    lastSeenAt: Math.max(known?.lastSeenAt ?? at, at),
    nodes: [...new Set([...(known?.nodes ?? []), node])].sort(),
    why,
  };
  tables.traceGroups.set(id, group);
  const examples = tables.traceExamples.get(id) ?? new Map();
  tables.traceExamples.set(id, examples.set(node, { node, at, trace }));
}
