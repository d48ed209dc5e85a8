import type { ScheduledFault } from "../nemesis/schedule.ts";
import { formatSchedule } from "./schedule-text.ts";

/** What shaped a run, as far as it was said; the rest follows from the seed. */
export interface Replay {
  readonly seed: number;
  readonly minutes: number;
  readonly mutant?: string | undefined;
  readonly only?: string | undefined;
  readonly async?: boolean | undefined;
  readonly delays?: number | undefined;
  readonly schedule?: readonly ScheduledFault[] | undefined;
}

const defaultMinutes = 10;

/** The one line that plays a run again. */
export function formatReplay({ seed, minutes, mutant, only, async, delays, schedule }: Replay): string {
  const options = [
    `--seed ${seed}`,
    ...(minutes === defaultMinutes ? [] : [`--minutes ${minutes}`]),
    ...(async === true ? ["--async"] : []),
    ...(mutant === undefined ? [] : [`--mutant ${mutant}`]),
    ...(only === undefined || schedule !== undefined ? [] : [`--only ${only}`]),
    ...(delays === undefined || delays === seed ? [] : [`--delays ${delays}`]),
    ...(schedule === undefined ? [] : [`--schedule "${formatSchedule(schedule)}"`]),
  ];
  return `npm run sim -- ${options.join(" ")}`;
}
