import type { Installation } from "../plain/installation.ts";
import type { Host } from "../plain/network.ts";
import { waitUntil } from "../plain/shell.ts";

export interface Whole {
  readonly primary: Host;
  readonly epoch: number;
}

const question = `SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names'),
  (SELECT string_agg(application_name, ' ') FROM pg_stat_replication WHERE state = 'streaming')`;

/**
 * By PostgreSQL's own word: one primary, every other member streams under its epoch and stands in the synchronous set, which is empty in an
 * asynchronous cluster.
 */
export function lookForWhole(installation: Installation): Whole | null {
  for (const host of installation.members) {
    const whole = askMember(installation, host);
    if (whole !== null && installation.probe(host, "/primary") === 200) return whole;
  }
  return null;
}

function askMember(installation: Installation, host: Host): Whole | null {
  let answer: string;
  try {
    answer = installation.sql(host, question);
  } catch {
    return null;
  }
  const [recovery, names = "", streaming = ""] = answer.split("|");
  const isAsync = installation.options.asynchronous != null;
  const epoch = Number(/\be(\d+)_/.exec(isAsync ? streaming : names)?.[1] ?? Number.NaN);
  if (recovery !== "f" || !Number.isFinite(epoch)) return null;
  const others = installation.members.filter((other) => other !== host).map((other) => `e${epoch}_${other.name}`);
  const counted = new Set((names.match(/e\d+_\w+/g) ?? []).filter((name) => others.includes(name)));
  const streams = new Set(streaming.split(" "));
  const isWhole = counted.size === (isAsync ? 0 : others.length) && others.every((name) => streams.has(name));
  return isWhole ? { primary: host, epoch } : null;
}

export async function waitForWhole(installation: Installation, limitMs: number): Promise<Whole | null> {
  let whole: Whole | null = null;
  await waitUntil(
    () => {
      whole = lookForWhole(installation);
      return whole !== null;
    },
    limitMs,
    100,
  );
  return whole;
}
