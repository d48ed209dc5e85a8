import {
  type CommandOutcome,
  type CommandRecord,
  controlPlaneNode,
  createState,
  type Event,
  type NodeRecord,
  type OperatorRequest,
  type Policy,
  type Reply,
  type State,
} from "../core/index.ts";
import type { AgentLink } from "../ports/agent-link.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Core } from "../runtime/core-port.ts";
import { ControlLoop } from "../runtime/loop.ts";
import { createMemoryLoopStore } from "../store/memory/loop-store.ts";
import { createMemoryTables, type MemoryTables } from "../store/memory/tables.ts";
import type { SessionMessage } from "./agent-frames.ts";
import type { Hook } from "./fencing-hook.ts";
import type { Network, Side } from "./network.ts";
import type { SimWorld } from "./trace.ts";
import type { Host, Process } from "./world.ts";

/** Where a control plane may be killed. Each is a moment at which another part of the world already knows more, or less. */
export type Boundary = "before-commit" | "after-commit" | "after-send" | "after-result";
export const boundaries: readonly Boundary[] = ["before-commit", "after-commit", "after-send", "after-result"];

export interface Trap {
  readonly boundary: Boundary;
  /** Which passage springs it; 1 is the next. */
  countdown: number;
  readonly restartAfterMs: number;
}

interface Session {
  readonly node: string;
  readonly sessionId: string;
  readonly side: Side<SessionMessage>;
  lastFrameMs: number;
}

/** As `server/gateway/agent-hub.ts` has them. */
const sessionSilenceMs = 60_000;
const sweepMs = 5_000;
/** From the first event to the batch: what arrives meanwhile comes along. */
const takeInMs = 1.5;

/** The real loop and core on a simulated host, with sessions to simulated agents and a database that outlives it. */
export class ControlModel {
  readonly process: Process;
  readonly tables: MemoryTables = createMemoryTables();
  loop: ControlLoop | null = null;
  state: State;
  trap: Trap | null = null;
  /** Milliseconds for a round trip to the database. */
  storeLatencyMs = 2;
  sendsBeforeCommit = false;
  /** When a command that is sent goes again unasked, if it has no result by then; milliseconds. */
  repeatAfterMs: () => readonly number[] = () => [];
  /** Cuts a node's power, and answers when that is certain; null when no hook is configured. */
  hook: Hook | null = null;
  private readonly inner: Store;
  private readonly sessions = new Map<string, Session>();
  private sessionCount = 0;

  constructor(
    readonly world: SimWorld,
    readonly network: Network,
    readonly host: Host,
    readonly core: Core,
    readonly policy: Policy,
  ) {
    this.process = world.addProcess("control-plane", host);
    this.state = createState(policy);
    this.tables.policy = policy;
    this.inner = createMemoryLoopStore(this.tables);
    network.listen<SessionMessage>(host.name, "agents", { process: this.process, accept: (side) => this.accept(side) });
    this.process.onDeath.push((how) => {
      network.dropProcess(this.process, how);
      this.sessions.clear();
      this.loop = null;
    });
  }

  boot(): void {
    if (this.process.alive || !this.host.up) return;
    const { world } = this;
    world.boot(this.process);
    this.state = createState(this.policy);
    if (this.hook !== null) this.state.live.self.fences = [...world.hosts.keys()];
    world.emit({ kind: "control-started" });
    const { incarnation } = this.process;
    const loop = new ControlLoop({
      state: this.state,
      core: this.tracedCore(),
      store: this.slowStore(),
      clock: this.clock(),
      link: this.link(incarnation),
      owner: `control-${incarnation}`,
      policyOverrides: {},
      publish: () => {},
      onConflict: () => this.kill(null, 500),
      log: (level, message, detail) => {
        if (level === "error" && message.includes("invariant")) {
          world.emit({
            kind: "model-violated",
            text: `${message} ${String(detail?.stack).split("\n").slice(0, 4).join(" | ")}`,
          });
        }
      },
    });
    this.loop = loop;
    void loop.start();
    world.promiseSettled = true;
    world.after(sweepMs, this.process, () => this.keepSessions());
  }

  kill(boundary: string | null, restartAfterMs: number | null): void {
    if (!this.process.alive) return;
    this.world.kill(this.process);
    this.world.emit({ kind: "control-ended", boundary });
    if (restartAfterMs !== null) this.world.after(restartAfterMs, null, () => this.boot());
  }

  /** An operator's request over the API; null when nobody answers. */
  async request(actor: string, request: OperatorRequest): Promise<Reply | null> {
    if (this.loop === null || !this.process.alive || this.process.frozen) return null;
    const reply = await this.loop.request({ id: actor, name: actor, role: "operator" }, request);
    this.world.emit({
      kind: "operator-answered",
      request: request.kind,
      ok: reply.ok,
      code: reply.ok ? null : reply.code,
    });
    return reply;
  }

  private pass(boundary: Boundary): boolean {
    const { trap } = this;
    if (trap === null || trap.boundary !== boundary || --trap.countdown > 0) return false;
    this.trap = null;
    this.kill(boundary, trap.restartAfterMs);
    return true;
  }

  private tracedCore(): Core {
    const { core, world } = this;
    return {
      decide: (state, events, now) => {
        const decision = core.decide(state, events, now);
        world.emit({ kind: "control-decided", decision, state, wallMs: now.wallMs });
        if (this.sendsBeforeCommit) for (const command of decision.send) this.transmit(command);
        return decision;
      },
      applyWrites: core.applyWrites,
    };
  }

  private clock(): Clock {
    const { world, process, host } = this;
    const { incarnation } = process;
    const alive = (): boolean => process.incarnation === incarnation;
    const later = (delayMs: number, run: () => void): void =>
      world.after(delayMs, process, () => {
        world.promiseSettled = true;
        run();
      });
    return {
      monoMs: () => world.monoMs(host),
      wallMs: () => world.wallMs(host),
      entropy: () => world.random.hex(),
      setTimer: (run, delayMs) => {
        let wanted = alive();
        if (wanted) later(delayMs, () => wanted && run());
        return () => {
          wanted = false;
        };
      },
      soon: (run) => {
        if (alive()) later(takeInMs * host.load, run);
      },
    };
  }

  private slowStore(): Store {
    const { inner, world, process } = this;
    const slowly = <T>(ask: () => Promise<T>, before?: Boundary, after?: Boundary): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        const halfMs = (this.storeLatencyMs / 2) * world.random.between(0.6, 1.8);
        world.after(halfMs, process, () => {
          if (before !== undefined && this.pass(before)) return;
          const settle = (run: () => void): void =>
            world.after(halfMs, process, () => {
              if (after !== undefined && this.pass(after)) return;
              run();
              world.promiseSettled = true;
            });
          ask().then(
            (value) => settle(() => resolve(value)),
            (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
          );
          world.promiseSettled = true;
        });
      });
    return {
      ...inner,
      lead: (owner) => slowly(() => inner.lead(owner)),
      leads: (leaderEpoch) => slowly(() => inner.leads(leaderEpoch)),
      load: () => slowly(() => inner.load()),
      isAvailable: () => slowly(() => inner.isAvailable()),
      commit: (leaderEpoch, writes) =>
        slowly(
          async () => {
            const answerLost = this.tables.faults.nextAnswerLost;
            const outcome = await inner.commit(leaderEpoch, writes);
            const made = outcome.ok || (outcome.code === "unknown" && answerLost === "made");
            if (made) world.emit({ kind: "control-committed", writes });
            return outcome;
          },
          "before-commit",
          "after-commit",
        ),
    };
  }

  private link(incarnation: number): AgentLink {
    const alive = (): boolean => this.process.alive && this.process.incarnation === incarnation;
    return {
      send: (command: CommandRecord) => {
        if (!alive() || !this.transmit(command)) return false;
        this.pass("after-send");
        return true;
      },
      acknowledge: (node, commandId) => {
        if (!alive()) return;
        this.world.emit({ kind: "result-acknowledged", node, commandId });
        this.sessions.get(node)?.side.send({ kind: "result-ack", commandId });
      },
      renewLease: ({ node, epoch, ask }) => {
        if (alive()) this.sessions.get(node)?.side.send({ kind: "lease", epoch, ask });
      },
      drop: (node) => this.sessions.get(node)?.side.close(),
      refreshPeers: () => {},
    };
  }

  private transmit(command: CommandRecord): boolean {
    for (const delayMs of this.repeatAfterMs()) {
      this.world.after(delayMs, this.process, () => {
        if (this.state.durable.commands.has(command.id)) this.deliver(command);
      });
    }
    return this.deliver(command);
  }

  private deliver(command: CommandRecord): boolean {
    if (command.node === controlPlaneNode) return this.runHook(command);
    const session = this.sessions.get(command.node);
    if (session === undefined) return false;
    this.world.emit({ kind: "command-sent", command });
    session.side.send({ kind: "command", command });
    return true;
  }

  /** A fencing hook that the control plane runs itself. */
  private runHook(command: CommandRecord): boolean {
    if (this.hook === null || command.verb.verb !== "host.fence") return false;
    const { node } = command.verb.args;
    this.world.emit({ kind: "command-sent", command });
    this.hook(node, this.process, (fenced) => {
      const outcome: CommandOutcome = fenced
        ? { status: "done", data: { fenced: node } }
        : { status: "failed", code: "hook-failed", detail: "the power switch did not answer" };
      this.post({ kind: "command-finished", node: controlPlaneNode, commandId: command.id, outcome, nodeAt: 0 });
    });
    return true;
  }

  private accept(side: Side<SessionMessage>): void {
    let session: Session | null = null;
    side.onClose = () => {
      if (session !== null) this.ended(session, "closed");
    };
    side.onMessage = (message) => {
      if (message.kind === "hello") {
        void this.welcome(side, message.node, message.bootId).then((opened) => {
          session = opened;
        });
        this.world.promiseSettled = true;
      } else if (session !== null) this.receive(session, message);
    };
  }

  private async welcome(side: Side<SessionMessage>, node: string, bootId: string): Promise<Session | null> {
    const { loop, world } = this;
    if (loop?.isReady !== true) {
      side.close();
      return null;
    }
    if (!this.state.durable.nodes.has(node)) await loop.enrol(nodeRecord(node, world.wallMs(this.host)));
    if (side.closed || this.loop !== loop || !this.state.durable.nodes.has(node)) {
      side.close();
      return null;
    }
    const before = this.sessions.get(node);
    const session: Session = { node, sessionId: `s${++this.sessionCount}`, side, lastFrameMs: world.nowMs };
    this.sessions.set(node, session);
    if (before !== undefined) {
      // From here on nothing of the old session is heard, whatever is still under way in it.
      before.side.close();
      this.post({ kind: "agent-disconnected", node, sessionId: before.sessionId, reason: "replaced" });
    }
    side.send({ kind: "welcome" });
    loop.post({ kind: "agent-connected", node, sessionId: session.sessionId, bootId, version: "sim", address: node });
    return session;
  }

  private receive(session: Session, message: SessionMessage): void {
    const { world } = this;
    session.lastFrameMs = world.nowMs;
    if (message.kind === "ping") session.side.send({ kind: "pong" });
    else if (message.kind === "heartbeat") {
      const { t: _, ...beat } = message.frame;
      const arrivalMs = world.monoMs(this.host);
      this.post({ kind: "heartbeat-received", node: session.node, sessionId: session.sessionId, arrivalMs, ...beat });
    } else if (message.kind === "result") {
      const { commandId, outcome, nodeAt } = message;
      world.emit({ kind: "result-arrived", node: session.node, commandId });
      this.post({ kind: "command-finished", node: session.node, commandId, outcome, nodeAt });
      this.pass("after-result");
    }
  }

  private post(event: Event): void {
    this.loop?.post(event);
  }

  private ended(session: Session, reason: string): void {
    if (this.sessions.get(session.node) === session) this.sessions.delete(session.node);
    this.post({ kind: "agent-disconnected", node: session.node, sessionId: session.sessionId, reason });
  }

  private keepSessions(): void {
    for (const session of [...this.sessions.values()]) {
      if (this.world.nowMs - session.lastFrameMs > sessionSilenceMs) {
        session.side.close();
        this.ended(session, "silent");
      }
    }
    this.world.after(sweepMs, this.process, () => this.keepSessions());
  }
}

function nodeRecord(id: string, enrolledAt: number): NodeRecord {
  return { id, publicKey: `key-${id}`, zone: "z", labels: {}, enrolledAt, revokedAt: null, maintenance: null };
}
