import type { Server } from "node:http";
import { scopeOf } from "../server/core/changes/verbs.ts";
import type { PostgresStatus, ProgramStatus, RedisStatus, WorkloadReport } from "../server/core/index.ts";
import { clusterServiceName } from "../server/protocol/cluster-service.ts";
import type { ErrorTrace, ServerFrame, WelcomeFrame } from "../server/protocol/index.ts";
import { CheckRunner } from "./checks/runner.ts";
import { HostCollector } from "./collectors/host.ts";
import { CommandExecutor, type VerbRunner } from "./commands/executor.ts";
import type { AgentConfig } from "./config/load.ts";
import { Heartbeat, type HeartbeatBody } from "./connection/heartbeat.ts";
import { openIdentity } from "./connection/identity.ts";
import { Connection } from "./connection/session.ts";
import { PostgresDriver } from "./drivers/postgres/driver.ts";
import { PostgresInstance } from "./drivers/postgres/instance.ts";
import { PostgresKeeper } from "./drivers/postgres/keeper.ts";
import { SqlParticipant } from "./drivers/postgres/sql-participant.ts";
import { ProgramParticipant } from "./drivers/program/participant.ts";
import { Program } from "./drivers/program/program.ts";
import { RedisDriver } from "./drivers/redis/driver.ts";
import { RedisInstance } from "./drivers/redis/instance.ts";
import { AgentStateStore, randomId } from "./fence/agent-state.ts";
import { FencingHooks } from "./hooks/fencing-hooks.ts";
import { startLocalHttp } from "./http/local-http.ts";
import type { GaugeReport } from "./http/reports.ts";
import { Peers } from "./peers/peers.ts";
import { makePrivateDirectory } from "./shared/durable-file.ts";
import type { Log } from "./shared/log.ts";
import { Repeater } from "./shared/repeater.ts";
import { messageOf, monotonicMs } from "./shared/time.ts";
import { SpoolSender } from "./spool/sender.ts";
import { Spool } from "./spool/spool.ts";
import { ServiceTelemetry, type ServiceTelemetryOptions } from "./telemetry/services.ts";

const memberReconnectCapMs = 1_000;
const nodeReconnectCapMs = 5_000;
const hostIntervalMs = 2_000;
const idleHeartbeatMs = 1_000;
/** A workload that was not reported for this long is not there any more. */
const workloadTtlMs = 10_000;
const maxWorkloads = 8;

/** The node agent: everything it does, wired together. It decides nothing about the cluster; it reports, and does what its grants allow. */
export class Agent {
  readonly #config: AgentConfig;
  readonly #log: Log;
  readonly #store: AgentStateStore;
  readonly #spool: Spool;
  readonly #connection: Connection;
  readonly #heartbeat: Heartbeat;
  readonly #executor: CommandExecutor;
  readonly #sender: SpoolSender;
  readonly #peers: Peers;
  readonly #checks: CheckRunner;
  readonly #host: HostCollector;
  readonly #services: ServiceTelemetry;
  readonly #hostLoop: Repeater;
  readonly #instance: PostgresInstance | null;
  readonly #driver: PostgresDriver | null;
  readonly #keeper: PostgresKeeper | null;
  readonly #programs: readonly { readonly program: Program; readonly participant: ProgramParticipant }[];
  readonly #redis: readonly RedisInstance[];
  readonly #workloads = new Map<string, { readonly report: WorkloadReport; readonly atMs: number }>();
  #http: Server | null = null;

  private constructor(config: AgentConfig, log: Log, parts: AgentParts) {
    this.#config = config;
    this.#log = log;
    this.#store = parts.store;
    this.#spool = parts.spool;
    const bootId = randomId();
    const changed = () => this.#heartbeat.beatNow();
    this.#instance = config.postgres === null ? null : this.#makeInstance(config.postgres, changed);
    this.#driver =
      this.#instance === null ? null : new PostgresDriver(this.#instance, () => this.#connection.connected);
    const driver = this.#driver;
    this.#keeper =
      this.#instance === null || driver === null
        ? null
        : new PostgresKeeper(
            this.#instance,
            () => this.#connection.connected,
            () => this.#peers.nodesOf(config.postgres?.cluster ?? ""),
            (work) => driver.exclusively(work),
          );
    this.#programs = config.programs.map((service) => {
      const program = new Program(service, { log, changed });
      return { program, participant: new ProgramParticipant(program) };
    });
    this.#redis = config.redis.map((service) => this.#makeRedis(service, changed));
    this.#peers = new Peers(config.node, config.peers, config.postgres, changed);
    this.#checks = new CheckRunner(config.node, config.checks, changed);
    this.#host = new HostCollector(config.postgres?.dataDir ?? config.stateDir);
    this.#hostLoop = new Repeater(hostIntervalMs, () => this.#host.collect());
    this.#heartbeat = new Heartbeat({
      bootId,
      collect: (nowMs) => this.#collect(nowMs),
      send: (frame) => void this.#connection.send(frame),
    });
    this.#connection = new Connection({
      url: config.server,
      node: config.node,
      zone: config.zone,
      labels: config.labels,
      bootId,
      spoolId: this.#spool.id,
      token: config.token,
      pinnedServerKey: config.serverKey,
      identity: parts.identity,
      stateDir: config.stateDir,
      reconnectCapMs: config.postgres === null && config.redis.length === 0 ? nodeReconnectCapMs : memberReconnectCapMs,
      log,
      onWelcome: (welcome) => this.#welcomed(welcome),
      onFrame: (frame) => this.#received(frame),
      onDisconnect: () => this.#heartbeat.stop(),
    });
    this.#services = new ServiceTelemetry({
      config: config.telemetry,
      log,
      connected: () => this.#connection.connected,
      send: (frame) => this.#connection.send(frame),
      kept: () => this.#keptServers(),
      storeError: (trace, at) => this.#spool.append({ kind: "trace", at, trace }),
    });
    this.#sender = new SpoolSender(this.#spool, (frame) => this.#connection.send(frame));
    const runners = new Map<string, VerbRunner>();
    if (this.#driver !== null && config.postgres !== null) runners.set(config.postgres.cluster, this.#driver);
    const participants = new Map<string, VerbRunner>(
      this.#programs.map(({ program, participant }) => [scopeOf(program.service.name), participant]),
    );
    if (this.#instance !== null && config.postgres !== null && config.sqlChanges) {
      participants.set(config.postgres.cluster, new SqlParticipant(this.#instance));
    }
    for (const cluster of new Set(config.redis.map((service) => service.cluster))) {
      runners.set(cluster, new RedisDriver(this.#redis.filter((each) => each.service.cluster === cluster)));
    }
    this.#executor = new CommandExecutor({
      hooks: new FencingHooks(config.fencing, log),
      participants,
      store: this.#store,
      allow: config.allow,
      runners,
      log,
      session: () => ({
        agentKey: this.#connection.agentKey,
        serverKey: this.#connection.serverKey,
        sessionMs: this.#connection.sessionMs(),
      }),
      send: (frame) => this.#connection.send(frame),
      signal: (code, data) => this.#signal(code, data),
    });
  }

  /** @throws Error when the state directory is damaged or the HTTP port is taken. */
  static async create(config: AgentConfig, log: Log): Promise<Agent> {
    await makePrivateDirectory(config.stateDir);
    const [store, identity, spool] = await Promise.all([
      AgentStateStore.open(config.stateDir),
      openIdentity(config.stateDir),
      Spool.open(config.stateDir, config.spool),
    ]);
    return new Agent(config, log, { store, identity, spool });
  }

  async start(): Promise<void> {
    const { listen } = this.#config;
    if (listen !== null) this.#http = await startLocalHttp({ ...listen, ...this.#httpHooks() });
    await this.#services.start();
    this.#hostLoop.start();
    this.#checks.start();
    // Before the connection: commands that come with it wait for the server's start.
    const booted = this.#driver?.boot().catch((error: unknown) => {
      this.#log("error", "PostgreSQL could not be started", { error: String(error) });
    });
    for (const { program, participant } of this.#programs) {
      await participant.open();
      await program.boot();
    }
    const redisBooted = this.#redis.map((instance) =>
      instance.boot().catch((error: unknown) => {
        this.#log("error", "Redis could not be started", {
          instance: instance.service.instance,
          error: messageOf(error),
        });
      }),
    );
    this.#connection.start();
    await Promise.all(redisBooted);
    await booted;
    this.#keeper?.start();
    this.#instance?.lease.start();
  }

  /** Ends the agent. PostgreSQL runs on, unless the configuration says otherwise. */
  async stop(): Promise<void> {
    this.#heartbeat.stop();
    this.#connection.stop();
    this.#keeper?.stop();
    this.#driver?.close();
    this.#peers.stop();
    this.#checks.stop();
    this.#hostLoop.stop();
    await this.#services.stop();
    await Promise.all(this.#programs.map(({ program }) => program.close()));
    this.#http?.close();
    this.#http?.closeAllConnections();
    await this.#instance?.close();
    await Promise.all(this.#redis.map((instance) => instance.close()));
    await this.#spool.close();
  }

  #makeInstance(service: NonNullable<AgentConfig["postgres"]>, changed: () => void): PostgresInstance {
    const { cluster } = service;
    return new PostgresInstance(service, {
      log: this.#log,
      fence: () => this.#store.fence(cluster),
      timeline: () => this.#store.state.timelines[cluster] ?? null,
      rememberTimeline: (timeline) => this.#rememberTimeline(cluster, timeline),
      changed,
      signal: (code, data) => this.#signal(code, data),
    });
  }

  #makeRedis(service: AgentConfig["redis"][number], changed: () => void): RedisInstance {
    return new RedisInstance(service, {
      log: this.#log,
      fence: () => this.#store.fence(service.cluster),
      changed,
      connected: () => this.#connection.connected,
      signal: (code, data) => this.#signal(code, data),
    });
  }

  #rememberTimeline(cluster: string, timeline: number | null): void {
    const update = this.#store.update((state) => {
      const { [cluster]: _before, ...others } = state.timelines;
      return { ...state, timelines: timeline === null ? others : { ...others, [cluster]: timeline } };
    });
    this.#aside("a timeline could not be noted on disk", update);
  }

  #collect(nowMs: number): HeartbeatBody {
    return {
      host: this.#host.last,
      postgres: this.#postgres(nowMs),
      redis: this.#redisStatus(nowMs),
      peers: this.#peers.read(nowMs),
      checks: this.#checks.read(nowMs),
      workloads: this.#liveWorkloads(nowMs),
      programs: this.#programStatus(),
      ...(this.#config.fencing.length > 0 ? { fences: this.#config.fencing.map((hook) => hook.node) } : {}),
    };
  }

  #postgres(nowMs = monotonicMs()): PostgresStatus | null {
    return this.#instance?.snapshot(nowMs) ?? null;
  }

  /** Errors of a service with releases speak about the one that runs. */
  #countErrors(traces: readonly ErrorTrace[]): void {
    for (const { program } of this.#programs) {
      const own = traces.filter(({ service }) => service === program.service.name);
      if (own.length > 0) program.countErrors(own.reduce((sum, { count }) => sum + count, 0));
    }
  }

  #programStatus(): readonly ProgramStatus[] {
    return this.#programs.map(({ program, participant }) => ({ ...program.status(), change: participant.current() }));
  }

  /** Under the names that the service map gives them: members of a cluster are one there. */
  #keptServers(): ReturnType<ServiceTelemetryOptions["kept"]> {
    const { postgres } = this.#config;
    return [
      ...this.#programs.map(({ program }) => ({
        name: program.service.name,
        kind: "service" as const,
        pid: program.status().pid,
      })),
      ...(postgres === null || this.#instance === null
        ? []
        : [
            {
              name: clusterServiceName("database", postgres.cluster),
              kind: "database" as const,
              pid: this.#instance.supervisor.pid,
            },
          ]),
      ...this.#redis.map(({ service, supervisor }) => ({
        name: clusterServiceName("cache", service.cluster),
        kind: "cache" as const,
        pid: supervisor?.pid ?? null,
      })),
    ];
  }

  #redisStatus(nowMs: number): readonly RedisStatus[] {
    return this.#redis.map((instance) => instance.snapshot(nowMs));
  }

  #liveWorkloads(nowMs: number): readonly WorkloadReport[] {
    for (const [name, entry] of this.#workloads) {
      if (nowMs - entry.atMs > workloadTtlMs) this.#workloads.delete(name);
    }
    return [...this.#workloads.values()].map((entry) => entry.report);
  }

  #welcomed(welcome: WelcomeFrame): void {
    this.#peers.assign(welcome.peers);
    this.#heartbeat.start(welcome.heartbeatMs > 0 ? welcome.heartbeatMs : idleHeartbeatMs);
    this.#executor.resend();
    this.#aside("the spool could not be read", this.#sender.begin(welcome.recordsUpTo));
  }

  #received(frame: ServerFrame): void {
    switch (frame.t) {
      case "command":
        this.#aside("a command could not be carried out", this.#executor.receive(frame));
        return;
      case "result-ack":
        this.#aside("an acknowledgement could not be noted on disk", this.#executor.acknowledge(frame.commandId));
        return;
      case "records-ack":
        this.#aside("the spool could not be cut", this.#sender.acknowledged(frame.spoolId, frame.upTo));
        return;
      case "peers":
        this.#peers.assign(frame.peers);
        if (frame.heartbeatMs !== undefined) this.#heartbeat.retime(frame.heartbeatMs);
        return;
      case "lease":
        if (frame.cluster === this.#config.postgres?.cluster) this.#instance?.lease.renewedByControl(frame);
        return;
      case "challenge":
      case "welcome":
      case "refused":
        return;
      default:
        frame satisfies never;
    }
  }

  /** Goes on beside everything else. What fails, on a full disk for instance, is said and nothing more: an agent that ends tells nobody anything. */
  #aside(failure: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#log("error", failure, { error: messageOf(error) }));
  }

  #signal(code: string, data: Readonly<Record<string, string | number | boolean | null>>): void {
    void this.#spool.append({ kind: "signal", at: Date.now(), code, data }).catch((error: unknown) => {
      this.#log("warn", "a signal could not be stored", { code, error: String(error) });
    });
  }

  #httpHooks() {
    return {
      postgres: () => this.#postgres(),
      status: () => ({
        node: this.#config.node,
        connected: this.#connection.connected,
        ...this.#collect(monotonicMs()),
      }),
      takeErrors: (traces: readonly ErrorTrace[]) => {
        this.#countErrors(traces);
        return this.#services.takeErrors(traces);
      },
      takeGauges: (report: GaugeReport) => this.#services.takeGauges(report),
      takeTraces: (traces: readonly ErrorTrace[]) => {
        this.#countErrors(traces);
        return this.#services.errors.add(traces);
      },
      takeWorkload: (report: WorkloadReport) => {
        if (this.#workloads.size >= maxWorkloads && !this.#workloads.has(report.name)) return;
        const before = this.#workloads.get(report.name)?.report;
        this.#workloads.set(report.name, { report, atMs: monotonicMs() });
        const flipped = before !== undefined && before.unavailableForMs > 0 !== report.unavailableForMs > 0;
        if (flipped) this.#heartbeat.beatNow();
      },
    };
  }
}

interface AgentParts {
  readonly store: AgentStateStore;
  readonly identity: Awaited<ReturnType<typeof openIdentity>>;
  readonly spool: Spool;
}
