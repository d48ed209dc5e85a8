import { Repeater } from "../../shared/repeater.ts";
import { monotonicMs } from "../../shared/time.ts";
import { isGateClosed, letInWhenFlushed, openGate, startAsPrimary } from "./gate.ts";
import type { PostgresInstance } from "./instance.ts";
import { aloneSettings, fencedSettings } from "./settings.ts";

const intervalMs = 1_000;
/** A control plane that is there gets this long to say what it wants. */
const standbyGraceMs = 4_000;
/** Without a control plane, a primary that was granted comes back by itself after this long. */
const primaryGraceMs = 3_000;
const slowestRetryMs = 60_000;

/**
 * What the agent does on its own when PostgreSQL has ended and nobody says anything: a standby is started again as what it was; a primary
 * only while there is no control plane, under the grant it holds. It can't acknowledge anything its standbys have turned away from.
 */
export class PostgresKeeper {
  readonly #instance: PostgresInstance;
  readonly #isConnected: () => boolean;
  readonly #peerNodes: () => readonly string[];
  readonly #exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  readonly #loop: Repeater;
  #slotsFor = "";
  #downSinceMs: number | null = null;
  #attempts = 0;
  #lettingIn = false;

  /** `peerNodes`: the other members as the control plane last named them. `exclusively`: a turn among the verbs. */
  constructor(
    instance: PostgresInstance,
    isConnected: () => boolean,
    peerNodes: () => readonly string[],
    exclusively: <T>(work: () => Promise<T>) => Promise<T>,
  ) {
    this.#instance = instance;
    this.#isConnected = isConnected;
    this.#peerNodes = peerNodes;
    this.#exclusively = exclusively;
    this.#loop = new Repeater(intervalMs, () => this.#look());
  }

  start(): void {
    this.#loop.start();
  }

  stop(): void {
    this.#loop.stop();
  }

  async #look(): Promise<void> {
    const instance = this.#instance;
    if (instance.empty || instance.rejoining || instance.busy) {
      this.#downSinceMs = null;
      return;
    }
    if (await instance.attach()) {
      this.#downSinceMs = null;
      this.#attempts = 0;
      await this.#finishLettingIn();
      await this.#prepareSlots();
      return;
    }
    const nowMs = monotonicMs();
    this.#downSinceMs ??= nowMs;
    const waitMs = Math.min(slowestRetryMs, this.#graceMs() * 2 ** this.#attempts);
    if (nowMs - this.#downSinceMs < waitMs) return;
    this.#attempts += 1;
    this.#downSinceMs = nowMs;
    await this.#exclusively(() => this.#restart()).catch((error: unknown) => {
      instance.host.log("error", "PostgreSQL could not be restarted", { error: String(error) });
    });
  }

  /** Every member keeps an unreserved slot for each other one: if it is promoted, they stream at once. */
  async #prepareSlots(): Promise<void> {
    const instance = this.#instance;
    const nodes = this.#peerNodes();
    const key = `${instance.supervisor.pid} ${nodes.join(" ")}`;
    if (key === this.#slotsFor || nodes.length === 0 || instance.monitor.status === null) return;
    if (instance.monitor.status.recovery) await instance.dropReservedSlots();
    await instance.ensureSlots(nodes);
    this.#slotsFor = key;
  }

  #graceMs(): number {
    return this.#instance.host.fence().standing.kind === "primary" ? primaryGraceMs : standbyGraceMs;
  }

  async #restart(): Promise<void> {
    const instance = this.#instance;
    const { standing, promise, promoteIssuedEpoch } = instance.host.fence();
    if (promise === null || instance.running) return;
    switch (standing.kind) {
      case "standby":
        // Not waited for: a command that seals or fences this member must not stand behind its recovery.
        return instance.startStandby(aloneSettings(instance.service, instance.host.fence()), { wait: false });
      case "primary":
        // A control plane that is there decides between a restart and a failover.
        if (this.#isConnected() || promoteIssuedEpoch !== null) return;
        if (!instance.lease.mayBegin(standing.configuration)) return;
        return startAsPrimary(instance, {
          configuration: standing.configuration,
          peers: this.#peerNodes(),
          stillHolds: () => instance.host.fence().promise?.epoch === promise.epoch,
        });
      case "sealed":
      case "fenced":
        return instance.startStandby(fencedSettings, { wait: false });
      case "none":
      case "demoted":
      case "rejoining":
        return;
    }
  }

  /** Users are let in when enough members hold the end of recovery; also when the agent that closed the gate has died. */
  async #finishLettingIn(): Promise<void> {
    const instance = this.#instance;
    if (this.#lettingIn || !(await isGateClosed(instance))) return;
    const { standing, promise } = instance.host.fence();
    // After a demote that was undone it runs as primary, too, under the configuration that it had.
    const granted = standing.kind === "primary" || standing.kind === "demoted" ? standing.configuration : null;
    if (granted === null) return openGate(instance);
    this.#lettingIn = true;
    try {
      await letInWhenFlushed(instance, granted, () => instance.host.fence().promise?.epoch === promise?.epoch);
    } catch (error) {
      instance.host.log("warn", "users are kept out", { error: String(error) });
    } finally {
      this.#lettingIn = false;
    }
  }
}
