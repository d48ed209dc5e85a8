import { checkHttp } from "../../checks/http.ts";
import { checkTcp } from "../../checks/tcp.ts";
import { Repeater } from "../../shared/repeater.ts";
import { messageOf, within } from "../../shared/time.ts";
import type { ProgramHealth } from "./service.ts";

/** A single failure may be chance; the second one in a row counts. */
const failuresToCount = 2;

/** Looks again and again whether a service answers as it should. */
export class HealthWatch {
  readonly #health: ProgramHealth;
  readonly #loop: Repeater;
  readonly #changed: () => void;
  #healthy: boolean | null = null;
  #detail = "";
  #failures = 0;

  constructor(health: ProgramHealth, changed: () => void) {
    this.#health = health;
    this.#changed = changed;
    this.#loop = new Repeater(health.everyMs, () => this.#look());
  }

  get healthy(): boolean | null {
    return this.#healthy;
  }

  get detail(): string {
    return this.#detail;
  }

  start(): void {
    this.#loop.start();
  }

  stop(): void {
    this.#loop.stop();
  }

  /** Another version: what was seen before says nothing. */
  reset(): void {
    this.#healthy = null;
    this.#failures = 0;
    this.#detail = "";
  }

  async #look(): Promise<void> {
    const finding = await within(lookOnce(this.#health), this.#health.timeoutMs, "the health check").catch(
      (error: unknown) => ({ ok: false, detail: messageOf(error) }),
    );
    const before = this.#healthy;
    this.#failures = finding.ok ? 0 : this.#failures + 1;
    this.#detail = finding.detail.slice(0, 200);
    if (finding.ok) this.#healthy = true;
    else if (this.#failures >= failuresToCount && before !== null) this.#healthy = false;
    if (this.#healthy !== before) this.#changed();
  }

  /** It never became healthy in its time. */
  giveUp(): void {
    this.#healthy = false;
    this.#changed();
  }
}

function lookOnce(health: ProgramHealth): Promise<{ readonly ok: boolean; readonly detail: string }> {
  const base = { name: "health", everySeconds: 1, timeoutMs: health.timeoutMs };
  if (health.kind === "http") return checkHttp({ ...base, kind: "http", url: health.url, status: 200 });
  return checkTcp({ ...base, kind: "tcp", host: health.host, port: health.port });
}
