import type { RedisState, RedisStatus } from "../../../server/core/index.ts";
import type { FenceRecord } from "../../fence/promise.ts";
import type { Log } from "../../shared/log.ts";
import { Repeater } from "../../shared/repeater.ts";
import { messageOf, monotonicMs, poll } from "../../shared/time.ts";
import { historyOf, keysOf, linkOf, numberOf, offsetOf, replicasOf, roleOf } from "./info.ts";
import { RedisConnection } from "./link.ts";
import { RedisMonitor } from "./monitor.ts";
import type { RedisService } from "./service.ts";
import { nobody, type StartAs } from "./settings.ts";
import { type RedisExit, RedisSupervisor } from "./supervisor.ts";

export interface RedisHost {
  readonly log: Log;
  fence(): FenceRecord;
  changed(): void;
  connected(): boolean;
  signal(code: string, data: Readonly<Record<string, string | number | boolean | null>>): void;
}

const commandDeadlineMs = 2_000;
const startDeadlineMs = 20_000;
const keepIntervalMs = 1_000;
const holdRenewMs = 1_000;
const holdForMs = 10_000;
/** Without a word from the control plane, replicas that still acknowledge lift a hold after this long: a quorum of them can't have been sealed. */
const holdLookMs = 2_500;
const restartGraceMs = 3_000;

/** One Redis server under this agent: started, watched, held back, asked. */
export class RedisInstance {
  readonly service: RedisService;
  readonly host: RedisHost;
  readonly monitor: RedisMonitor;
  readonly supervisor: RedisSupervisor | null;
  readonly connection: RedisConnection;
  readonly #keeper = new Repeater(keepIntervalMs, () => this.#keep());
  #hold: { readonly sinceMs: number; readonly timer: NodeJS.Timeout } | null = null;
  #downSinceMs: number | null = null;
  #busy = 0;

  constructor(service: RedisService, host: RedisHost) {
    this.service = service;
    this.host = host;
    this.supervisor = service.managed === null ? null : new RedisSupervisor(service, (exit) => this.#exited(exit));
    this.connection = new RedisConnection(service);
    this.monitor = new RedisMonitor(service, {
      onChange: () => host.changed(),
      onClosed: () => host.changed(),
      onPaused: (pausedMs) => this.#paused(pausedMs),
    });
  }

  get isPrimaryByGrant(): boolean {
    return this.host.fence().standing.kind === "primary";
  }

  /** Finds the server or starts it, fenced: no member takes writes before its grant was confirmed. */
  async boot(): Promise<void> {
    if (this.supervisor !== null && !(await this.supervisor.attach())) await this.start();
    this.monitor.start();
    this.#keeper.start();
  }

  async close(): Promise<void> {
    this.#keeper.stop();
    this.release();
    this.monitor.stop();
    this.connection.drop();
    if (this.service.stopWithAgent) await this.supervisor?.stop(5_000);
    this.supervisor?.release();
  }

  /** Starts the server as its standing allows, and waits until it answers. */
  async start(startAs: StartAs | null = this.#startAs()): Promise<void> {
    if (this.supervisor === null) throw new Error("this server is started by something else than the agent");
    await this.supervisor.start(startAs);
    const answered = await poll(
      () =>
        this.connection.call(500, "PING").then(
          () => true,
          (error: unknown) => (/LOADING|MASTERDOWN/.test(messageOf(error)) ? null : null),
        ),
      { intervalMs: 20, deadlineMs: startDeadlineMs },
    );
    if (answered === null) throw new Error(`the server did not answer within ${startDeadlineMs} ms of its start`);
    this.monitor.wake();
  }

  #startAs(): StartAs | null {
    const { mode, managed } = this.service;
    if (mode === "cluster") return null;
    const { standing } = this.host.fence();
    if (standing.kind === "standby")
      return { kind: "replica", host: standing.primary.host, port: standing.primary.port };
    if (standing.kind === "none" && managed?.initialize === true) return { kind: "master", minReplicas: 0 };
    return { kind: "replica", ...nobody };
  }

  /** Runs what must not meet the keeper's own starts. */
  async whileBusy<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
    }
  }

  /** Sends one command to the server. */
  call<T = unknown>(command: string, ...args: readonly (string | number)[]): Promise<T> {
    return this.connection.call<T>(commandDeadlineMs, command, ...args);
  }

  /** Pauses writes until `release`, renewed while it lasts: should this agent die, the pause ends by itself. */
  hold(): void {
    if (this.#hold !== null) return;
    const pause = () =>
      this.call("CLIENT", "PAUSE", holdForMs, "WRITE").catch((error: unknown) =>
        this.host.log("warn", "writes could not be paused", { error: messageOf(error) }),
      );
    this.#hold = { sinceMs: monotonicMs(), timer: setInterval(() => void pause(), holdRenewMs) };
    void pause();
    this.host.changed();
  }

  /** Writes go on. */
  release(): void {
    if (this.#hold === null) return;
    clearInterval(this.#hold.timer);
    this.#hold = null;
    void this.call("CLIENT", "UNPAUSE").catch(() => undefined);
    this.host.changed();
  }

  snapshot(nowMs: number): RedisStatus {
    const { service } = this;
    const picture = this.monitor.picture;
    const info = picture?.info ?? new Map<string, string>();
    const { promise, promoteIssuedEpoch, standing } = this.host.fence();
    const exit = this.supervisor?.lastExit ?? null;
    return {
      cluster: service.cluster,
      instance: service.instance,
      mode: service.mode,
      ...service.advertise,
      state: this.#state(),
      role: roleOf(info),
      version: info.get("redis_version") ?? null,
      runId: info.get("run_id") ?? null,
      ...historyOf(info),
      offset: offsetOf(info),
      link: linkOf(info),
      replicas: replicasOf(info),
      probe: this.monitor.probe(nowMs),
      masterProbe: this.monitor.masterProbe(nowMs),
      exit:
        exit === null
          ? null
          : { pid: exit.pid, code: exit.code, signal: exit.signal, reaped: exit.reaped, agoMs: nowMs - exit.atMs },
      promise,
      promoteIssuedEpoch,
      standing: standing.kind,
      held: this.#hold !== null,
      minReplicas: picture?.minReplicas ?? null,
      persistent: info.get("aof_enabled") === "1",
      keys: picture === null ? null : keysOf(info),
      memoryBytes: numberOf(info, "used_memory"),
      maxMemoryBytes: numberOf(info, "maxmemory") || null,
      clients: numberOf(info, "connected_clients"),
      commandsPerSecond: numberOf(info, "instantaneous_ops_per_sec"),
      shard: picture?.shard ?? null,
    };
  }

  #state(): RedisState {
    if (this.supervisor !== null && this.supervisor.pid === null) return "stopped";
    if (this.monitor.loading || !this.monitor.probeKnown) return "starting";
    const probe = this.monitor.probe(monotonicMs());
    if (probe.ok) return "running";
    return this.supervisor === null && probe.reason === "refused" ? "stopped" : "hung";
  }

  #exited(exit: RedisExit): void {
    this.monitor.forget();
    if (!exit.expected) this.host.signal("redis-exited", { instance: this.service.instance, signal: exit.signal });
    this.host.changed();
  }

  /** The agent stood still, and the server probably with it: somebody else may be the master by now. */
  #paused(pausedMs: number): void {
    if (this.service.mode === "cluster" || !this.isPrimaryByGrant) return;
    this.host.log("warn", "the agent stood still; writes are held until the grant is confirmed", { pausedMs });
    this.hold();
  }

  async #keep(): Promise<void> {
    await this.#reviewHold();
    const { supervisor } = this;
    if (supervisor === null || supervisor.pid !== null || this.#busy > 0) {
      this.#downSinceMs = null;
      return;
    }
    const nowMs = monotonicMs();
    this.#downSinceMs ??= nowMs;
    const { standing } = this.host.fence();
    // A control plane that is there decides whether a master comes back or another one takes over.
    const mayWait = this.service.mode === "replica-set" && standing.kind === "primary";
    if (mayWait && this.host.connected()) return;
    if (nowMs - this.#downSinceMs < restartGraceMs) return;
    this.#downSinceMs = nowMs;
    const startAs: StartAs | null =
      standing.kind === "primary" && this.service.mode === "replica-set"
        ? { kind: "master", minReplicas: standing.configuration.k }
        : this.#startAs();
    await this.start(startAs).catch((error: unknown) =>
      this.host.log("error", "Redis could not be restarted", { error: messageOf(error) }),
    );
  }

  /** As many replicas as the grant counts on, heard of after the pause: no quorum of them can have turned to another master. */
  async #reviewHold(): Promise<void> {
    const hold = this.#hold;
    if (hold === null || this.host.connected() || monotonicMs() - hold.sinceMs < holdLookMs) return;
    const { standing } = this.host.fence();
    const picture = this.monitor.picture;
    if (standing.kind !== "primary" || picture === null) return;
    const good = replicasOf(picture.info).filter((row) => row.online && row.lagMs <= 1_000).length;
    if (good >= Math.max(1, standing.configuration.k)) this.release();
  }
}
