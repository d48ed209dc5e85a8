import { holds } from "../wal.ts";
import type { CreateChecker } from "./checker.ts";

/**
 * What is acknowledged is on a second disk at that moment. Losing it takes another fault; this is broken before: by a standby whose word counts
 * and whose history is another one.
 */
export const checkAcknowledgedCopies: CreateChecker = (sim, violate) => ({
  observe(event) {
    if (event.kind !== "row-acknowledged" || event.asynchronous) return;
    const { node, record } = event;
    const others = sim.nodes.filter((other) => other.name !== node);
    if (others.some(({ postgres }) => holds(postgres.disk.flushed, record))) return;
    violate(`${node} acknowledged row ${record.row}, and no other server holds it`);
  },
});
