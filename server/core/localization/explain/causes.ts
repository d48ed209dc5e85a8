import type { FaultClass as IncidentClass } from "../../incident/types.ts";
import type { Evidence } from "../evidence.ts";
import type { Suspect } from "../fusion.ts";
import { timesItsNormal } from "../resource-evidence.ts";
import type { FaultFacts, LoggedFact, ServiceFacts } from "./facts.ts";

/** Names of causes, as the screens say them (`suspectCause.…`) and policies refer to them. */
export const causeNames = [
  "release-broken",
  "volume-full",
  "query-slow",
  "database-failing",
  "pool-exhausted",
  "cpu-starved",
  "memory-growing",
  "throws-errors",
  "network-late",
  "answers-late",
] as const;

export type CauseName = (typeof causeNames)[number];

export const classOfCause: Readonly<Record<CauseName, IncidentClass>> = {
  "release-broken": "change",
  "volume-full": "hardware",
  "query-slow": "software",
  "database-failing": "software",
  "pool-exhausted": "load",
  "cpu-starved": "load",
  "memory-growing": "software",
  "throws-errors": "software",
  "network-late": "network",
  "answers-late": "software",
};

/** A release that came up to this long before the fault is its likeliest cause: most outages follow a change. */
const releaseBeforeMs = 120_000;
/** When a fault began is known to a few seconds only. */
const releaseAfterMs = 10_000;

const fullVolume = /\bENOSPC\b|no space left|disk (?:is )?full|quota exceeded|could not extend file/i;
const noConnection =
  /timeout exceeded when trying to connect|connection pool|pool (?:is )?exhausted|too many (?:clients|connections)|(?:acquir|wait)\w* (?:a )?connection/i;
const waitsForConnection = /pool|acquire|checkout.?connection/i;

export function isFreshRelease({ versionSince }: ServiceFacts, { faultAt }: FaultFacts): boolean {
  return versionSince !== null && versionSince >= faultAt - releaseBeforeMs && versionSince <= faultAt + releaseAfterMs;
}

/** The first new error of a service that says itself what it is about. */
export function findTellingLog(service: ServiceFacts | undefined): LoggedFact | undefined {
  return service?.logs.find((log) => fullVolume.test(log.example) || noConnection.test(log.example));
}

/** The same among the lines that are new since the fault: one that was seen in an earlier incident is no new error any more, and says as much. */
function findTellingLine({ evidence }: Suspect): string | undefined {
  const lines = evidence.flatMap((each) => (each.kind === "log-template-new" ? [each.text] : []));
  return lines.find((text) => fullVolume.test(text) || noConnection.test(text));
}

/** What kind of fault a suspect's evidence speaks for: facts that name it themselves first, then what the statistics show. */
export function nameCause(suspect: Suspect, service: ServiceFacts | undefined, facts: FaultFacts): CauseName {
  if (service !== undefined && isFreshRelease(service, facts)) return "release-broken";
  if (service?.kind === "database") return suspect.class === "availability" ? "database-failing" : "query-slow";
  const telling = findTellingLog(service)?.example ?? findTellingLine(suspect);
  if (telling !== undefined) return fullVolume.test(telling) ? "volume-full" : "pool-exhausted";
  if (suspect.evidence.some(waitsInPool)) return "pool-exhausted";
  switch (suspect.class) {
    case "cpu":
      return standsOut(suspect, "cpu") ? "cpu-starved" : "answers-late";
    case "memory":
      return standsOut(suspect, "memory") ? "memory-growing" : "answers-late";
    case "disk":
      return "volume-full";
    case "network":
      // What is lost in front of a process that is busier than ever is its queue.
      if (standsOut(suspect, "cpu")) return "cpu-starved";
      return losesMoreBetween(suspect) ? "network-late" : "answers-late";
    case "latency":
      return "answers-late";
    case "availability":
    case "code":
      return fails(suspect, service) ? "throws-errors" : "answers-late";
    default:
      return suspect.class satisfies never;
  }
}

/** By its own measure, too: a process that has just started grows a little without being ill. */
function standsOut({ evidence }: Suspect, resource: "cpu" | "memory"): boolean {
  return evidence.some(
    (each) =>
      each.kind === "resource-excess" && each.resource === resource && each.after >= timesItsNormal * each.before,
  );
}

/** More time is newly lost on the way than inside it: a service that answers late makes its network a little late, too. */
function losesMoreBetween({ evidence }: Suspect): boolean {
  const gained = (kind: Evidence["kind"]): number =>
    Math.max(
      0,
      ...evidence.map((each) => (each.kind === kind && "beforeMs" in each ? each.afterMs - each.beforeMs : 0)),
    );
  return gained("network-gap") >= gained("self-time-excess");
}

function waitsInPool(evidence: Evidence): boolean {
  return evidence.kind === "self-time-excess" && waitsForConnection.test(evidence.op);
}

function fails(suspect: Suspect, service: ServiceFacts | undefined): boolean {
  const logged = service?.logs.some(({ level }) => level === "error" || level === "fatal") ?? false;
  return logged || suspect.evidence.some(({ kind }) => kind === "lost-requests");
}
