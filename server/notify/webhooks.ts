import type { Clock } from "../ports/clock.ts";
import type { IncidentView } from "../protocol/index.ts";
import { postJson, type WebhookTarget } from "./post-json.ts";

/** Waiting before the second, third and fourth try. */
const retriesMs = [1_000, 5_000, 30_000] as const;
/** Messages waiting for one target; beyond it the oldest is dropped and said so. */
const queueLimit = 100;
const incidentsKept = 1_000;

export type NoticeKind = "incident-opened" | "incident-worsened" | "incident-resolved";

export interface WebhookParts {
  readonly targets: readonly WebhookTarget[];
  readonly clock: Clock;
  /** Where people read on. */
  readonly publicUrl: string;
  log(message: string, detail: Readonly<Record<string, unknown>>): void;
}

interface Seen {
  readonly severity: number;
  readonly resolved: boolean;
  /** Somebody was told that it is open. What nobody heard of is not reported as resolved. */
  readonly told: boolean;
}

/** Tells the world of incidents: when one opens, when it gets worse, when it is resolved. Symptoms tell nobody. */
export class Webhooks {
  readonly #parts: WebhookParts;
  readonly #startedAt: number;
  readonly #seen = new Map<string, Seen>();
  readonly #queues = new Map<WebhookTarget, string[]>();
  readonly #busy = new Set<WebhookTarget>();
  #stopped = false;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.wallMs();
  }

  /**
   * Call with every committed change of an incident. `muted`: somebody has muted alerts for it. One that is still open when the mute ends is told
   * of then: with its next change, or when `consider` is called for it.
   */
  consider(incident: IncidentView, muted: boolean): void {
    const kind = this.#judge(incident);
    const told = this.#seen.get(incident.id)?.told ?? incident.openedAt < this.#startedAt;
    this.#remember(incident, kind === "incident-opened" ? !muted : told);
    if (kind === null || muted) return;
    const body = JSON.stringify({
      event: kind,
      incident: incident.id,
      severity: incident.severity,
      phase: incident.phase,
      cause: incident.cause.kind,
      subject: incident.cause.subject,
      cluster: incident.cluster,
      beganAt: new Date(incident.beganAt).toISOString(),
      url: `${this.#parts.publicUrl}/incidents/${incident.id}`,
    });
    for (const target of this.#parts.targets) this.#enqueue(target, body);
  }

  stop(): void {
    this.#stopped = true;
  }

  #judge(incident: IncidentView): NoticeKind | null {
    const before = this.#seen.get(incident.id);
    const resolved = incident.phase === "resolved" || incident.phase === "closed";
    // What was there before we started was told by whoever ran then.
    if (before === undefined) return incident.openedAt >= this.#startedAt && !resolved ? "incident-opened" : null;
    if (resolved) return before.resolved || !before.told ? null : "incident-resolved";
    if (before.resolved || !before.told) return "incident-opened";
    return incident.severity < before.severity ? "incident-worsened" : null;
  }

  #remember({ id, severity, phase }: IncidentView, told: boolean): void {
    this.#seen.delete(id);
    this.#seen.set(id, { severity, resolved: phase === "resolved" || phase === "closed", told });
    if (this.#seen.size > incidentsKept) this.#seen.delete(this.#seen.keys().next().value as string);
  }

  #enqueue(target: WebhookTarget, body: string): void {
    const queue = this.#queues.get(target) ?? [];
    this.#queues.set(target, queue);
    queue.push(body);
    if (queue.length > queueLimit) {
      queue.shift();
      this.#parts.log("A webhook is too slow; its oldest message was dropped.", { host: new URL(target.url).host });
    }
    void this.#drain(target, queue);
  }

  /** One message after the other, so that "resolved" never overtakes "opened". */
  async #drain(target: WebhookTarget, queue: string[]): Promise<void> {
    if (this.#busy.has(target)) return;
    this.#busy.add(target);
    while (queue.length > 0 && !this.#stopped) await this.#deliver(target, queue.shift() as string);
    this.#busy.delete(target);
  }

  async #deliver(target: WebhookTarget, body: string): Promise<void> {
    for (let attempt = 0; !this.#stopped; attempt++) {
      try {
        await postJson(target, body, Math.round(this.#parts.clock.wallMs()));
        return;
      } catch (error) {
        const waitMs = retriesMs[attempt];
        // The path may hold a secret: only the host is logged.
        const detail = { host: new URL(target.url).host, reason: String(error), attempt: attempt + 1 };
        if (waitMs === undefined) {
          this.#parts.log("A webhook did not take a message; given up.", detail);
          return;
        }
        await new Promise<void>((resolve) => this.#parts.clock.setTimer(resolve, waitMs));
      }
    }
  }
}
