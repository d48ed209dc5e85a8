import { nemeses, type ScheduledFault } from "../nemesis/schedule.ts";

/** A schedule as it stands on a command line: `3:crash@41250+800`, with the fault's id, its start and its length in milliseconds. */
export function formatSchedule(schedule: readonly ScheduledFault[]): string {
  return schedule.map(({ id, nemesis, atMs, lastsMs }) => `${id}:${nemesis.name}@${atMs}+${lastsMs}`).join(" ");
}

/** @throws Error with the part that is no fault. */
export function parseSchedule(text: string): readonly ScheduledFault[] {
  const parts = text.split(/\s+/).filter((part) => part !== "");
  return parts.map((part) => {
    const [, id, name, atMs, lastsMs] = /^(\d+):([\w-]+)@(\d+)\+(\d+)$/.exec(part) ?? [];
    const nemesis = nemeses.find((other) => other.name === name);
    if (nemesis === undefined)
      throw new Error(`"${part}" is no fault; one looks like 3:crash@41250+800 (id, name, start and length in ms)`);
    return { id: Number(id), nemesis, atMs: Number(atMs), lastsMs: Number(lastsMs) };
  });
}
