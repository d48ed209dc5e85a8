import type { ScheduledFault } from "../nemesis/schedule.ts";
import { formatSchedule } from "./schedule-text.ts";

/** What shaped a run, as far as it was said; the rest follows from the seed. */
export interface Replay {
  readonly seed: number;
  readonly minutes: number;
  readonly mutant: string | null;
  readonly only: readonly string[] | null;
  readonly async: boolean;
  readonly delays: number | null;
  readonly schedule: readonly ScheduledFault[] | null;
}

const defaultMinutes = 10;

/** The one line that plays a run again. */
export function formatReplay({ seed, minutes, mutant, only, async, delays, schedule }: Replay): string {
  const options = [
    `--seed ${seed}`,
    ...(minutes === defaultMinutes ? [] : [`--minutes ${minutes}`]),
    ...(async ? ["--async"] : []),
    ...(mutant === null ? [] : [`--mutant ${mutant}`]),
    ...(only === null || schedule !== null ? [] : [`--only ${only.join(",")}`]),
    ...(delays === null || delays === seed ? [] : [`--delays ${delays}`]),
    ...(schedule === null ? [] : [`--schedule "${formatSchedule(schedule)}"`]),
  ];
  return `npm run sim -- ${options.join(" ")}`;
}
