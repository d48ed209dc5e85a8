import type { Demo } from "../../demo/demo.ts";
import type { ShopFaultName } from "../../demo/fault-names.ts";
import type { Suspect } from "../../server/core/index.ts";
import type { IncidentDetail, IncidentView } from "../../server/protocol/index.ts";
import { askBaselines } from "./baseline.ts";
import { truth } from "./truth.ts";

export interface Trial {
  readonly fault: ShopFaultName;
  /** What the page names at the end of the observation. */
  readonly named: { readonly service: string; readonly cause: string; readonly confidence: number } | null;
  /** The suspects as the page ranks them, with the codes of their evidence: for looking into a wrong answer. */
  readonly suspects: readonly string[];
  readonly right: boolean;
  /** The service alone, whatever it is said to suffer from. */
  readonly rightService: boolean;
  readonly detectMs: number | null;
  /** From the opening of the incident to its first ranked answer. */
  readonly firstAnswerMs: number | null;
  readonly incidents: number;
  readonly baseline: { readonly errorSpans: boolean; readonly zScore: boolean };
}

const openWithinMs = 60_000;
/** The page is read this long after the incident opened: an operator has just come. */
const readAfterMs = 15_000;
const healWithinMs = 120_000;
const pollMs = 250;

/** Causes one fault, waits for the incident, reads what its page names, heals, and waits until it is over. */
export async function runTrial(demo: Demo, fault: ShopFaultName): Promise<Trial> {
  const before = new Set((await listIncidents(demo)).map(({ id }) => id));
  const fresh = async () => (await listIncidents(demo)).filter(({ id }) => !before.has(id));
  const causedAt = Date.now();
  const outcome = await demo.faults.cause({ fault });
  void outcome;
  const opened = await waitFor(openWithinMs, async () => (await fresh()).find(isOfServices) ?? null);
  let detail: IncidentDetail | null = null;
  let baseline = { errorSpans: false, zScore: false };
  if (opened !== null) {
    await sleep(Math.max(0, opened.openedAt + readAfterMs - Date.now()));
    detail = await demo.api.get<IncidentDetail>(`incidents/${opened.id}`);
    const blamed = await askBaselines(demo, opened.beganAt, Date.now());
    const { service } = truth[fault];
    baseline = { errorSpans: blamed.errorSpans === service, zScore: blamed.zScore === service };
  }
  await demo.faults.cause({ fault: "heal" });
  await waitFor(healWithinMs, async () => ((await listIncidents(demo)).some(isOpen) ? null : true));
  const [first] = detail?.incident.suspects ?? [];
  const named =
    first === undefined ? null : { service: first.subject.id, cause: first.cause, confidence: first.confidence };
  const answeredAt = detail?.timeline.find(({ kind }) => kind === "localized")?.at ?? null;
  const rightService = named?.service === truth[fault].service;
  return {
    fault,
    named,
    suspects: (detail?.incident.suspects ?? []).map(tellSuspect),
    rightService,
    right: rightService && named?.cause === truth[fault].cause,
    detectMs: opened === null ? null : opened.openedAt - causedAt,
    firstAnswerMs: answeredAt === null || opened === null ? null : answeredAt - opened.openedAt,
    incidents: (await fresh()).length,
    baseline,
  };
}

function tellSuspect({ subject, cause, confidence, evidence }: Suspect): string {
  const codes = evidence.map(({ code, data }) => `${code} ${JSON.stringify(data)}`);
  return `${subject.id} ${cause} ${confidence}: ${codes.join("; ")}`;
}

async function listIncidents(demo: Demo): Promise<readonly IncidentView[]> {
  return (await demo.api.get<{ readonly items: readonly IncidentView[] }>("incidents?limit=50")).items;
}

const isOfServices = ({ cause }: IncidentView): boolean => cause.kind === "service-degraded";
const isOpen = ({ resolvedAt }: IncidentView): boolean => resolvedAt === null;

async function waitFor<T>(withinMs: number, look: () => Promise<T | null>): Promise<T | null> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look().catch(() => null);
    if (found !== null) return found;
    if (Date.now() > deadline) return null;
    await sleep(pollMs);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
