import type { LeaseRenewal } from "../core/index.ts";
import type { AgentLink } from "../ports/agent-link.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";

/** How often the lead is asked for while there is something to renew. */
const checkMs = 800;

/**
 * Renews leases only while this process is sure to lead. A request was made before it came in; when the database says afterwards that our
 * lead is still the newest, no other control plane had begun to depose that primary when the request was made. What was decided by a
 * process that no longer leads never leaves.
 */
export class LeaseRenewals {
  readonly #store: Store;
  readonly #link: AgentLink;
  readonly #clock: Clock;
  /** The newest request of each primary. */
  readonly #waiting = new Map<string, LeaseRenewal>();
  #busy = false;
  #nextMs = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(parts: { readonly store: Store; readonly link: AgentLink; readonly clock: Clock }) {
    this.#store = parts.store;
    this.#link = parts.link;
    this.#clock = parts.clock;
  }

  /** `proven`: the decision that carried these was just committed under our lead. */
  take(renewals: readonly LeaseRenewal[], leaderEpoch: number | null, proven: boolean): void {
    if (renewals.length === 0 || leaderEpoch === null) return;
    if (proven) {
      this.#send(renewals);
      return;
    }
    for (const renewal of renewals) this.#waiting.set(`${renewal.node}|${renewal.cluster}`, renewal);
    if (this.#busy) return;
    this.#cancel();
    this.#cancel = this.#clock.setTimer(
      () => void this.#check(leaderEpoch),
      Math.max(0, this.#nextMs - this.#clock.monoMs()),
    );
  }

  stop(): void {
    this.#cancel();
    this.#waiting.clear();
  }

  async #check(leaderEpoch: number): Promise<void> {
    if (this.#busy || this.#waiting.size === 0) return;
    this.#busy = true;
    this.#nextMs = this.#clock.monoMs() + checkMs;
    const renewals = [...this.#waiting.values()];
    this.#waiting.clear();
    // Without an answer nobody knows who leads: standbys may renew meanwhile.
    const leads = await this.#store.leads(leaderEpoch).catch(() => false);
    this.#busy = false;
    if (leads) this.#send(renewals);
  }

  #send(renewals: readonly LeaseRenewal[]): void {
    for (const renewal of renewals) this.#link.renewLease(renewal);
  }
}
