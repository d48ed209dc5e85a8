import { applyWrites, decide } from "../control-plane.ts";
import type { Decision } from "../effect.ts";
import type { Event } from "../event.ts";
import { defaultPolicy, type Policy } from "../policy/types.ts";
import type { CommandOutcome, CommandRecord } from "../recovery/command.ts";
import type { PeerSight, PostgresStatus, ReplicationRow } from "../replication/status.ts";
import { createState, type State } from "../state.ts";

/**
 * A cluster on strings, for tests of the core: each node's status is plain data that a test changes by hand, and every command is
 * answered at once the way an agent would. The simulator has the world with its own will; this has none.
 */
export interface Puppet {
  readonly state: State;
  readonly statuses: Map<string, PostgresStatus>;
  readonly peers: Map<string, PeerSight[]>;
  readonly mute: Set<string>;
  readonly commands: CommandRecord[];
  /** Commands to these verbs stay unanswered. */
  readonly unanswered: Set<string>;
  /** Commands to these verbs are refused. */
  readonly refused: Set<string>;
  clockMs: number;
  batch: number;
}

const wallStartMs = 1_700_000_000_000;

export function createPuppet(policy: Partial<Policy> = {}): Puppet {
  return {
    state: createState({ ...defaultPolicy, ...policy }),
    statuses: new Map(),
    peers: new Map(),
    mute: new Set(),
    commands: [],
    unanswered: new Set(),
    refused: new Set(),
    clockMs: 10_000,
    batch: 0,
  };
}

/** Decides on the events, commits, and carries the commands to the puppets; answers come in the next batch. */
export function play(puppet: Puppet, events: readonly Event[]): Decision {
  const decision = decide(puppet.state, events, nowOf(puppet));
  applyWrites(puppet.state, decision.writes);
  const answers: Event[] = [];
  for (const command of decision.send) {
    puppet.commands.push(command);
    if (puppet.mute.has(command.node) || puppet.unanswered.has(command.verb.verb)) continue;
    const outcome = obey(puppet, command);
    answers.push({ kind: "command-finished", node: command.node, commandId: command.id, outcome, nodeAt: 0 });
  }
  if (answers.length > 0) play(puppet, answers);
  return decision;
}

function nowOf(puppet: Puppet) {
  puppet.batch += 1;
  return { monoMs: puppet.clockMs, wallMs: wallStartMs + puppet.clockMs, entropy: `b${puppet.batch}` };
}

/** Lets time pass in steps of a beat; every node that is not mute sends its status. */
export function pass(puppet: Puppet, ms: number): void {
  const until = puppet.clockMs + ms;
  while (puppet.clockMs < until) {
    puppet.clockMs = Math.min(until, puppet.clockMs + 250);
    play(
      puppet,
      [...puppet.statuses.keys()].flatMap((node) => beat(puppet, node)),
    );
  }
}

/** One heartbeat of a node, as it is now. */
export function beat(puppet: Puppet, node: string): Event[] {
  if (puppet.mute.has(node)) return [];
  return [
    {
      kind: "heartbeat-received",
      node,
      sessionId: `s-${node}`,
      seq: puppet.clockMs,
      bootId: "boot",
      monoMs: puppet.clockMs,
      wallMs: wallStartMs + puppet.clockMs,
      arrivalMs: puppet.clockMs,
      eager: false,
      loopLagMs: 1,
      host: null,
      postgres: puppet.statuses.get(node) ?? null,
      peers: puppet.peers.get(node) ?? [],
      checks: [],
      workloads: [],
    },
  ];
}

export function addNode(puppet: Puppet, id: string, status: Partial<PostgresStatus>): void {
  const record = {
    id,
    publicKey: `key-${id}`,
    zone: "z",
    labels: {},
    enrolledAt: 0,
    revokedAt: null,
    maintenance: null,
  };
  puppet.statuses.set(id, { ...emptyStatus(puppet.statuses.size), ...status });
  const connected: Event = {
    kind: "agent-connected",
    node: id,
    sessionId: `s-${id}`,
    bootId: "boot",
    version: "0",
    address: "",
  };
  play(puppet, [{ kind: "node-enrolled", node: record }]);
  play(puppet, [connected]);
}

export function setStatus(puppet: Puppet, node: string, patch: Partial<PostgresStatus>): void {
  const status = puppet.statuses.get(node);
  if (status !== undefined) puppet.statuses.set(node, { ...status, ...patch });
}

/** What `observer` sees of `node`. */
export function setSight(puppet: Puppet, observer: string, node: string, patch: Partial<PeerSight>): void {
  const others = (puppet.peers.get(observer) ?? []).filter((peer) => peer.node !== node);
  const sight: PeerSight = {
    node,
    cluster: "orders",
    reach: "ok",
    reason: null,
    failingForMs: 0,
    responseMs: 1,
    response: null,
    ...patch,
  };
  puppet.peers.set(observer, [...others, sight]);
}

/** A three-node cluster with its synchronous set in force and automation on. */
export function createHealthyCluster(policy: Partial<Policy> = {}): Puppet {
  const puppet = createPuppet(policy);
  for (const id of ["pg-a", "pg-b", "pg-c"]) addNode(puppet, id, { initialize: id === "pg-a" });
  for (const observer of ["pg-a", "pg-b", "pg-c"]) {
    for (const node of ["pg-a", "pg-b", "pg-c"]) if (node !== observer) setSight(puppet, observer, node, {});
  }
  pass(puppet, 3_000);
  return puppet;
}

function emptyStatus(index: number): PostgresStatus {
  return {
    cluster: "orders",
    host: `h${index}`,
    port: 5432,
    state: "empty",
    role: null,
    systemId: null,
    version: "15",
    timeline: null,
    lsn: null,
    replayLsn: null,
    replayPaused: false,
    replayLagMs: null,
    receiver: null,
    replication: [],
    synchronousStandbyNames: null,
    probe: { ok: true, ms: 1, failingForMs: 0, reason: null },
    syncProbe: null,
    exit: null,
    promise: null,
    configurations: [],
    promoteIssuedEpoch: null,
    connections: 3,
    preparedTransactions: 0,
    longestTransactionMs: 0,
    response: null,
    canRewind: false,
    initialize: false,
  };
}

/** What a flawless agent would do and answer. */
function obey(puppet: Puppet, command: CommandRecord): CommandOutcome {
  const { verb, node } = command;
  const status = puppet.statuses.get(node);
  if (puppet.refused.has(verb.verb)) return { status: "refused", code: "refused", detail: "by the test" };
  const done = (data: Readonly<Record<string, unknown>> = {}): CommandOutcome => ({ status: "done", data });
  switch (verb.verb) {
    case "postgres.initialize":
    case "postgres.adopt":
    case "postgres.restart":
    case "postgres.regrant":
      setStatus(puppet, node, {
        state: "running",
        role: "primary",
        timeline: status?.timeline ?? 1,
        lsn: status?.lsn ?? 1000,
        systemId: "1",
        receiver: null,
        exit: null,
      });
      return done({ timeline: status?.timeline ?? 1, systemId: "1" });
    case "postgres.seal":
      setStatus(puppet, node, {
        receiver: { status: "none", senderHost: null, senderPort: null, receivedLsn: null, advancedAgoMs: null },
      });
      return done({
        timeline: status?.timeline ?? 1,
        lsn: status?.lsn ?? 0,
        configurations: [],
        promoted: false,
        receiverGoneMs: 5,
      });
    case "postgres.promote":
      setStatus(puppet, node, { role: "primary", timeline: verb.args.timeline, receiver: null, replication: [] });
      return done({ timeline: verb.args.timeline, switchLsn: status?.lsn ?? 0, ms: 90 });
    case "postgres.follow":
    case "postgres.rejoin":
      attach(puppet, command, verb.args.primary.node);
      return done();
    case "postgres.configure":
      return done({ flushLsn: status?.lsn ?? 0 });
    case "postgres.demote":
      if (verb.args.way === "quiesce") return done({ lsn: status?.lsn ?? 0, stopped: false });
      setStatus(puppet, node, { state: "stopped", exit: { pid: 1, code: 0, signal: null, reaped: true, agoMs: 0 } });
      return done({ lsn: status?.lsn ?? 0, stopped: true });
    case "postgres.fence":
      setStatus(puppet, node, { state: "stopped" });
      return done({ stopped: true, lsn: status?.role === "primary" ? status.lsn : null });
    case "host.fence":
      return done({ fenced: verb.args.node });
    case "postgres.verify":
      return done({ ms: 5 });
    case "postgres.learn":
    case "change.step":
    case "change.sql":
    case "postgres.resolve":
      return done();
    default:
      return done();
  }
}

function attach(puppet: Puppet, command: CommandRecord, primary: string): void {
  const source = puppet.statuses.get(primary);
  const row: ReplicationRow = {
    applicationName: `e${command.grant.epoch}_${command.node}`,
    node: command.node,
    state: "streaming",
    syncState: "quorum",
    sentLsn: 1_000_000,
    writeLsn: 1_000_000,
    flushLsn: 1_000_000,
    replayLsn: source?.lsn ?? 0,
    replayLagMs: 1,
  };
  const receiver = {
    status: "streaming",
    senderHost: source?.host ?? null,
    senderPort: 5432,
    receivedLsn: 1_000_000,
    advancedAgoMs: 10,
  } as const;
  setStatus(puppet, command.node, {
    state: "running",
    role: "standby",
    timeline: source?.timeline ?? 1,
    lsn: source?.lsn ?? 0,
    systemId: "1",
    receiver,
    exit: null,
  });
  const others = (source?.replication ?? []).filter((item) => item.node !== command.node);
  setStatus(puppet, primary, { replication: [...others, row] });
}
