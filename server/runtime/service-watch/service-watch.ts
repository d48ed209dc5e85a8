import { type Event, type Incident, movesAway, type State, type SuggestedRecovery } from "../../core/index.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RecoveryOutcome, ServiceSupervisor } from "../../ports/service-supervisor.ts";
import type { TelemetryStore } from "../../ports/telemetry.ts";
import { localizeIncident } from "./localize-incident.ts";
import { measureServices } from "./measure.ts";

const measureMs = 1_000;
/** While the evidence grows it is asked again this often, for so long; then the answer stands. */
const againMs = 2_000;
const growsForMs = 40_000;

export interface ServiceWatchParts {
  readonly state: State;
  readonly clock: Clock;
  readonly telemetry: TelemetryStore;
  readonly supervisor: ServiceSupervisor | null;
  post(event: Event): boolean;
  log(message: string, detail: Readonly<Record<string, unknown>>): void;
}

/**
 * The shell around the judgement of services: measures them for the loop, asks the localizer about what the loop has opened, and carries out
 * the recoveries that the loop has committed. It decides nothing: all of it comes back as events.
 */
export class ServiceWatch {
  readonly #parts: ServiceWatchParts;
  readonly #askedMs = new Map<string, number>();
  /** Of this process: what was begun, with what came of it once that is known. By incident and request. */
  readonly #begun = new Map<string, RecoveryOutcome | null>();
  #cancel: () => void = () => {};

  constructor(parts: ServiceWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#cancel = this.#parts.clock.setTimer(() => this.#turn(), measureMs);
  }

  stop(): void {
    this.#cancel();
  }

  /** Call with every committed change: a fresh incident is not kept waiting, and a committed recovery begins at once. */
  noteCommit(touched: ReadonlySet<string>): void {
    for (const incident of this.#parts.state.durable.incidents.values()) {
      if (!touched.has(`incident:${incident.id}`)) continue;
      if (isOpen(incident) && !this.#askedMs.has(incident.id)) this.#ask(incident);
      this.#recover(incident);
    }
  }

  #turn(): void {
    const { clock, state, telemetry, post } = this.#parts;
    this.#cancel = clock.setTimer(() => this.#turn(), measureMs);
    try {
      const services = measureServices(telemetry, clock.wallMs(), (node) => clustersOf(state, node));
      if (services.length > 0) post({ kind: "services-measured", services });
      for (const incident of state.durable.incidents.values()) {
        if (isOpen(incident) && this.#isDue(incident)) this.#ask(incident);
        this.#recover(incident);
      }
      this.#forgetEnded();
    } catch (error) {
      this.#parts.log("The services could not be judged this second.", { error: String(error) });
    }
  }

  #isDue(incident: Incident): boolean {
    const { clock, state } = this.#parts;
    const asked = this.#askedMs.get(incident.id);
    if (asked === undefined) return true;
    // What comes after its end dilutes what it showed.
    if (state.live.services.get(incident.cause.subject.id)?.breach === null) return false;
    return clock.monoMs() - asked >= againMs && clock.wallMs() - incident.openedAt < growsForMs;
  }

  #ask(incident: Incident): void {
    const { state, telemetry, supervisor, clock, post, log } = this.#parts;
    this.#askedMs.set(incident.id, clock.monoMs());
    try {
      const answer = localizeIncident(
        { state, telemetry, supervisor, wallMs: () => clock.wallMs(), monoMs: () => clock.monoMs() },
        incident,
      );
      if (answer !== null && isNews(incident, answer)) post(answer);
    } catch (error) {
      log("The localizer failed on an incident; it goes on without an answer.", {
        incident: incident.id,
        error: String(error),
      });
    }
  }

  /**
   * Begins once for each request. The outcome is said again until the incident has it: an event that could not be committed, because the store
   * was away, is gone, and to act again instead of saying it again would start the service twice.
   */
  #recover({ id, recovery }: Incident): void {
    if (!asksSupervisor(recovery)) return;
    const requestedAt = recovery.requestedAt ?? 0;
    const key = `${id}@${requestedAt}`;
    const known = this.#begun.get(key);
    if (known) {
      this.#parts.post({ kind: "recovery-finished", incidentId: id, requestedAt, ...known });
      return;
    }
    if (known === null) return;
    this.#begun.set(key, null);
    const { supervisor } = this.#parts;
    const outcome =
      supervisor === null
        ? Promise.resolve({ ok: false, detail: "Nothing here can act on services." })
        : supervisor.act(recovery.action, recovery.service);
    void outcome.then(({ ok, detail }) => {
      this.#begun.set(key, { ok, detail });
      this.#parts.post({ kind: "recovery-finished", incidentId: id, requestedAt, ok, detail });
    });
  }

  #forgetEnded(): void {
    const { incidents } = this.#parts.state.durable;
    for (const id of this.#askedMs.keys()) if (!incidents.has(id)) this.#askedMs.delete(id);
    const asked = new Set(
      [...incidents.values()].flatMap(({ id, recovery }) =>
        asksSupervisor(recovery) ? [`${id}@${recovery.requestedAt ?? 0}`] : [],
      ),
    );
    for (const key of this.#begun.keys()) if (!asked.has(key)) this.#begun.delete(key);
  }
}

/** A change that carries it out is the loop's own. */
function asksSupervisor(recovery: Incident["recovery"]): recovery is SuggestedRecovery {
  return recovery?.state === "requested" && !recovery.work;
}

function isOpen({ cause, resolvedAt }: Incident): boolean {
  return cause.kind === "service-degraded" && resolvedAt === null;
}

/** The same answer with a confidence like before is not worth a commit. */
function isNews(
  incident: Incident,
  { suspects, remedy }: { suspects: Incident["suspects"]; remedy: unknown },
): boolean {
  if (incident.localization === null || incident.localization === undefined) return true;
  const tell = (list: Incident["suspects"]) =>
    list.map(({ subject, cause, confidence }) => `${subject.id} ${cause} ${Math.round(confidence * 10)}`).join();
  const { recovery } = incident;
  // What leaves an ill host is the loop's own idea: the localizer has no say in it.
  const isKnown = recovery != null && !movesAway(recovery.action);
  return tell(incident.suspects) !== tell(suspects) || (remedy !== null) !== isKnown;
}

/** Clusters that the applications of a node work with. */
function clustersOf(state: State, node: string): string[] {
  const label = state.durable.nodes.get(node)?.labels.clusters ?? "";
  const named = label.split(",").map((name) => name.trim());
  const live = state.live.nodes.get(node);
  const clusters = [...named, ...(live?.workloads ?? []).map(({ cluster }) => cluster)];
  return [...new Set(clusters)].filter((name) => name !== "");
}
