import type { LeaseBook } from "../../agents/fence/lease.ts";
import { emptyFence, type FenceRecord } from "../../agents/fence/promise.ts";
import type { CommandOutcome, CommandRecord, Grant } from "../core/index.ts";
import { endHandOver } from "./agent-demote.ts";
import type { SessionMessage } from "./agent-frames.ts";
import { createKeeper, type Keeper, keepServer } from "./agent-keeper.ts";
import { takeRenewal, tendLease } from "./agent-lease.ts";
import { type AgentDisk, type AgentHands, type AgentParts, type Fence, realFence, soundHands } from "./agent-parts.ts";
import { policeSenders } from "./agent-police.ts";
import { startStandbyAlone } from "./agent-server.ts";
import { buildHeartbeat, createSights, type Sights, watchPeers } from "./agent-status.ts";
import { concurrentVerbs, runVerb } from "./agent-verbs.ts";
import { kernelGivesUpMs, type Side } from "./network.ts";
import type { PostgresModel } from "./postgres-model.ts";
import type { SimWorld } from "./trace.ts";
import type { Process } from "./world.ts";

const heartbeatMs = 250;
/** As `agents/connection/session.ts` and `agents/agent.ts` have them for a cluster's member. */
const reconnectMs = { first: 50, most: 2_000 };
const pingMs = 2_000;
const sessionSilenceMs = 6_000;

/** The node agent on the model: the real fence, simulated hands. */
export class AgentModel {
  readonly process: Process;
  readonly disk: AgentDisk = { fence: emptyFence, begun: new Set(), outcomes: new Map(), unacknowledged: new Set() };
  readonly fence: Fence;
  readonly hands: AgentHands;
  readonly world: SimWorld;
  readonly postgres: PostgresModel;
  sights: Sights = createSights();
  bootId = "";
  /** The server process that this incarnation saw end: proof of death. */
  exit: { readonly atMs: number; readonly pid: number } | null = null;
  beatSeq = 0;
  bootedAtMs = 0;
  wantsInitialize = false;
  disconnectedSinceMs = 0;
  rejoining = false;
  probeOkMs = 0;
  /** Since when the server has refused the agent's own writes; null while it takes them. */
  writesRefusedSinceMs: number | null = null;
  /** The server's present process was started at boot, before anybody was asked. */
  startedAtBoot = false;
  /** Asynchronous mode: the lease of the grant that this agent holds. */
  lease: LeaseBook | null = null;
  /** How far any standby had come, and the own server at the last look. */
  heldLsn = 0;
  lastLookLsn = 0;
  /** Standing under which the agent last started its server as a primary. */
  startedUnder: FenceRecord["standing"]["kind"] = "none";
  /** Verbs that wait for the one before them: one at a time on a server. */
  private lane: (() => void)[] = [];
  private laneBusy = false;
  private keeper: Keeper = createKeeper();
  /** Grows with every command: what a demote left to be watched is over then. */
  demoteWatch = 0;
  /** Verbs under way, by command id. */
  readonly running = new Set<string>();
  private sawPostgres = false;
  private side: Side<SessionMessage> | null = null;
  private lastServerMs = 0;
  private reconnectDelayMs = reconnectMs.first;
  private eagerScheduled = false;
  private judging: string | null = null;
  private queue: CommandRecord[] = [];

  constructor(readonly parts: AgentParts) {
    this.world = parts.world;
    this.postgres = parts.postgres;
    this.fence = parts.fence ?? realFence;
    this.hands = parts.hands ?? soundHands;
    this.process = parts.world.addProcess(`agent@${parts.host.name}`, parts.host);
    this.process.onDeath.push((how) => {
      parts.network.dropProcess(this.process, how);
      this.side = null;
    });
    parts.postgres.onChange = () => this.postgresChanged();
  }

  get node(): string {
    return this.parts.host.name;
  }

  get connected(): boolean {
    return this.side !== null;
  }

  boot(): void {
    if (this.process.alive || !this.parts.host.up) return;
    const { world } = this;
    world.boot(this.process);
    this.bootId = world.random.hex();
    this.exit = null;
    this.beatSeq = 0;
    this.bootedAtMs = world.nowMs;
    this.sights = createSights();
    this.sawPostgres = this.postgres.alive;
    this.probeOkMs = world.nowMs;
    this.running.clear();
    this.queue = [];
    this.judging = null;
    this.eagerScheduled = false;
    this.rejoining = false;
    this.lane = [];
    this.laneBusy = false;
    this.keeper = createKeeper();
    this.demoteWatch = 0;
    this.lease = null;
    this.disconnectedSinceMs = world.nowMs;
    world.work(30, this.process, () => {
      this.bootInTurn();
      this.connect();
      // One grid for all nodes: their beats come in one batch, which quarters the cost of a run. Eager beats and results do not.
      this.beat(Math.ceil(world.nowMs / heartbeatMs) * heartbeatMs + world.random.between(0, 1));
      this.everySecond();
    });
  }

  /** Beats stand on an absolute grid: a late one doesn't shift those after it. */
  private beat(dueMs: number): void {
    this.world.after(dueMs - this.world.nowMs, this.process, () => {
      watchPeers(this);
      this.probeOwnServer();
      policeSenders(this);
      tendLease(this);
      this.sendHeartbeat(false);
      const missed = Math.max(1, Math.ceil((this.world.nowMs - dueMs + 0.001) / heartbeatMs));
      this.beat(dueMs + missed * heartbeatMs);
    });
  }

  private probeOwnServer(): void {
    const { postgres, world } = this;
    if (!postgres.answers || postgres.quiesced !== null) return;
    if (postgres.role === "standby") {
      this.probeOkMs = world.nowMs;
      // It answers: what it refused in an earlier life as primary is over.
      this.writesRefusedSinceMs = null;
      return;
    }
    if (this.beatSeq % 2 === 0) {
      postgres.agentCommit(true, (how) => {
        if (how === "acknowledged") this.probeOkMs = world.nowMs;
        if (how === "acknowledged") this.writesRefusedSinceMs = null;
        else if (postgres.diskFull && postgres.answers) this.writesRefusedSinceMs ??= world.nowMs;
      });
    }
  }

  /** A verb has its turn on the server. */
  get busy(): boolean {
    return this.laneBusy;
  }

  private everySecond(): void {
    keepServer(this, this.keeper);
    this.world.after(1_000, this.process, () => this.everySecond());
  }

  private postgresChanged(): void {
    if (!this.process.alive || this.process.frozen) return;
    const { postgres } = this;
    if (postgres.alive) {
      this.sawPostgres = true;
      if (postgres.state === "starting") this.exit = null;
      if (postgres.state === "running") this.probeOkMs = this.world.nowMs;
    } else if (this.sawPostgres) {
      this.sawPostgres = false;
      this.exit = { atMs: this.world.nowMs, pid: postgres.process.incarnation };
    }
    this.beatSoon();
  }

  /** Something changed: report at once instead of at the next grid point. */
  beatSoon(): void {
    if (this.eagerScheduled || !this.process.alive) return;
    this.eagerScheduled = true;
    this.world.work(this.world.random.between(1, 12), this.process, () => {
      this.eagerScheduled = false;
      watchPeers(this);
      this.sendHeartbeat(true);
    });
  }

  private sendHeartbeat(eager: boolean): void {
    this.beatSeq++;
    if (this.side === null) return;
    this.side.send({ kind: "heartbeat", frame: buildHeartbeat(this, eager) });
  }

  private connect(): void {
    const { network, controlHost } = this.parts;
    network.connect<SessionMessage>(
      this.process,
      { host: controlHost, service: "agents" },
      { userTimeoutMs: kernelGivesUpMs, connectTimeoutMs: 5_000 },
      (side) => {
        this.side = side;
        this.lastServerMs = this.world.nowMs;
        side.onMessage = (message) => {
          if (this.side === side) this.receive(message);
        };
        side.onClose = () => {
          if (this.side === side) this.sessionEnded();
        };
        side.send({ kind: "hello", node: this.node, bootId: this.bootId });
        this.checkSilence(side);
      },
      () => this.reconnectLater(),
    );
  }

  /** A control plane that vanished without FIN would keep the session for a quarter of an hour. */
  private checkSilence(side: Side<SessionMessage>): void {
    this.world.after(pingMs, this.process, () => {
      if (this.side !== side) return;
      if (this.world.nowMs - this.lastServerMs > sessionSilenceMs) {
        side.close();
        return this.sessionEnded();
      }
      side.send({ kind: "ping" });
      this.checkSilence(side);
    });
  }

  private sessionEnded(): void {
    this.side = null;
    this.disconnectedSinceMs = this.world.nowMs;
    this.reconnectLater();
  }

  private reconnectLater(): void {
    const delayMs = this.reconnectDelayMs * this.world.random.between(0.5, 1);
    this.reconnectDelayMs = Math.min(reconnectMs.most, this.reconnectDelayMs * 2);
    this.world.after(delayMs, this.process, () => this.connect());
  }

  private receive(message: SessionMessage): void {
    this.lastServerMs = this.world.nowMs;
    switch (message.kind) {
      case "welcome":
        this.reconnectDelayMs = reconnectMs.first;
        this.sendHeartbeat(true);
        for (const id of this.disk.unacknowledged) this.sendResult(id);
        break;
      case "result-ack":
        this.disk.unacknowledged.delete(message.commandId);
        break;
      case "lease":
        takeRenewal(this, null, message);
        break;
      case "command":
        this.takeCommand(message.command);
        break;
      default:
        break;
    }
  }

  /** A command came in, from whatever session. */
  takeCommand(command: CommandRecord): void {
    if (this.hands.remembersCommands) {
      if (this.disk.outcomes.has(command.id)) return this.sendResult(command.id);
      if (this.running.has(command.id) || this.judging === command.id) return;
      if (this.queue.some((other) => other.id === command.id)) return;
      if (this.disk.begun.has(command.id)) {
        const detail = "the agent was ended while it carried out this command";
        return this.finish(command, { status: "failed", code: "interrupted", detail });
      }
    }
    this.queue.push(command);
    this.judgeNext();
  }

  /** One judgement at a time: each sees the record that the one before it made durable. */
  private judgeNext(): void {
    if (this.judging !== null) return;
    const command = this.queue.shift();
    if (command === undefined) return;
    this.judging = command.id;
    const verdict = this.fence.judgeCommand(this.disk.fence, command);
    this.world.work(this.world.random.between(0.8, 4), this.process, () => {
      this.judging = null;
      if (verdict.ok) {
        this.disk.fence = verdict.record;
        this.disk.begun.add(command.id);
        this.world.emit({
          kind: "grant-accepted",
          node: this.node,
          grant: command.grant,
          verb: command.verb.verb,
          commandId: command.id,
        });
        // Whoever listens may have killed it at this very moment.
        if (!this.process.alive) return;
        this.begin(command);
      } else {
        this.finish(command, { status: "refused", code: verdict.code, detail: verdict.detail });
      }
      this.judgeNext();
    });
  }

  private begin(command: CommandRecord): void {
    this.running.add(command.id);
    this.demoteWatch++;
    if (concurrentVerbs.has(command.verb.verb)) return this.execute(command, () => {});
    this.lane.push(() => this.execute(command, () => this.nextInLane()));
    if (!this.laneBusy) this.nextInLane();
  }

  private nextInLane(): void {
    const next = this.lane.shift();
    this.laneBusy = next !== undefined;
    next?.();
  }

  private execute(command: CommandRecord, then: () => void): void {
    this.world.emit({ kind: "command-began", node: this.node, command });
    let finished = false;
    runVerb(this, command, (outcome) => {
      if (finished) return;
      finished = true;
      this.disk.fence = this.fence.recordOutcome(this.disk.fence, command, outcome);
      this.finish(command, outcome);
      then();
    });
  }

  /** The server's start has the first turn: a command may be here before it. */
  private bootInTurn(): void {
    this.lane.push(() =>
      this.world.work(this.world.random.between(5, 250), this.process, () => {
        this.bootServer();
        this.nextInLane();
      }),
    );
    this.nextInLane();
  }

  /** Boot fenced: a server that runs is left alone; one that does not is started as a standby of whom the stored grant names. */
  private bootServer(): void {
    const { postgres } = this;
    endHandOver(this);
    if (postgres.alive || postgres.disk.state !== "ok") return;
    this.startedAtBoot = true;
    if (this.hands.bootsFenced) startStandbyAlone(this);
    else postgres.start();
  }

  /** Whether a verb under way may still act: nothing higher was promised since. */
  holds(grant: Grant): boolean {
    return this.fence.stillHolds(this.disk.fence, grant);
  }

  private finish(command: CommandRecord, outcome: CommandOutcome): void {
    this.world.work(this.world.random.between(0.5, 2), this.process, () => {
      this.running.delete(command.id);
      this.disk.outcomes.set(command.id, outcome);
      this.disk.unacknowledged.add(command.id);
      this.world.emit({
        kind: "command-ended",
        node: this.node,
        commandId: command.id,
        verb: command.verb.verb,
        status: outcome.status,
        detail: outcome.status === "done" ? "" : `${outcome.code}: ${outcome.detail}`,
      });
      this.sendResult(command.id);
      this.beatSoon();
    });
  }

  private sendResult(id: string): void {
    const outcome = this.disk.outcomes.get(id);
    if (outcome === undefined || this.side === null) return;
    const nodeAt = this.world.wallMs(this.parts.host);
    this.side.send({ kind: "result", commandId: id, outcome, nodeAt });
  }
}
