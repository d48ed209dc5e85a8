import type { Branch, IncomingMessage, Message, Protocol, Transaction } from "../../core/transaction/index.ts";
import { createRandom, type Random } from "../random.ts";
import { check, type Violation } from "./checkers.ts";
import { Coordinator } from "./coordinator.ts";
import { World } from "./network.ts";
import { Participant } from "./participant.ts";
import { Crashes } from "./process.ts";
import { Resource } from "./resource.ts";
import { type Rules, soundRules } from "./rules.ts";

const protocols: readonly Protocol[] = ["2pc", "3pc", "saga", "tcc"];
const faultsUntilMs = 12_000;
const endMs = 60_000;
const retryMs = 150;
const backupAnswersWithinMs = 1_000;

export interface RunOptions {
  readonly seed: number;
  readonly protocol?: Protocol;
  readonly rules?: Rules;
}

export interface RunResult {
  readonly seed: number;
  readonly protocol: Protocol;
  readonly violations: readonly Violation[];
  readonly outcome: string;
  readonly boundaries: number;
  readonly crashes: readonly string[];
  readonly blocked: boolean;
  readonly backups: number;
}

/** Everything of one run, for the checkers. */
export interface Run {
  readonly protocol: Protocol;
  readonly coordinator: Coordinator;
  readonly backups: readonly Coordinator[];
  readonly participants: readonly Participant[];
  readonly resources: readonly Resource[];
  readonly votes: readonly boolean[];
  readonly coordinatorReturns: boolean;
}

/** One transaction under the faults that its seed brings. The same seed gives the same run. */
export function runTransaction({ seed, rules = soundRules, ...options }: RunOptions): RunResult {
  const protocol = options.protocol ?? (protocols[seed % protocols.length] as Protocol);
  const random = createRandom(seed * 7 + protocols.indexOf(protocol));
  const crashes = new Crashes(pickCrashes(random));
  const calm = random.chance(0.25);
  const world = new World(random, {
    loss: calm ? 0 : random.between(0, 0.25),
    duplicates: calm ? 0 : random.between(0, 0.3),
    late: calm ? 0 : random.between(0, 0.3),
    untilMs: faultsUntilMs,
  });
  const run = createRun(protocol, world, crashes, random, rules);
  schedulePartition(world, random, run);
  if (random.chance(0.3)) world.after(random.between(0, 8_000), () => random.pick(run.resources).sellOut());
  world.after(0, () => run.coordinator.begin());
  world.run(endMs);
  return {
    seed,
    protocol,
    violations: check(run),
    outcome: describeOutcome(run),
    boundaries: crashes.passed,
    crashes: [...crashes.struck].map((label) => `${protocol}:${label}`),
    blocked: [run.coordinator, ...run.backups].some((each) => each.wasBlocked),
    backups: run.backups.length,
  };
}

/** Up to three, most of them early: a run without faults passes some dozens of boundaries. */
function pickCrashes(random: Random): ReadonlySet<number> {
  const count = random.below(4);
  return new Set(Array.from({ length: count }, () => 1 + random.below(random.chance(0.7) ? 60 : 250)));
}

function createRun(protocol: Protocol, world: World, crashes: Crashes, random: Random, rules: Rules): Run {
  const count = protocol === "3pc" ? 3 + random.below(3) : 2 + random.below(4);
  const ids = Array.from({ length: count }, (_, index) => `p${index + 1}`);
  const votes = ids.map(() => random.chance(0.9));
  const resources = ids.map(() => new Resource(1 + random.below(2)));
  const coordinatorReturns = (protocol !== "3pc" && protocol !== "tcc") || random.chance(0.6);
  const backups: Coordinator[] = [];
  const byId = new Map<string, Participant>();
  const deliver = (sender: string, coordinator: () => Coordinator, message: Message) =>
    world.send(sender, message.to, () => {
      senders.set(messageKey(message.to, message), coordinator());
      byId.get(message.to)?.receive(message);
    });
  /** Who is to hear an answer, by participant and ballot. */
  const senders = new Map<string, Coordinator>();
  const participants = ids.map(
    (id, index) =>
      new Participant(id, world, crashes, {
        rules,
        resource: resources[index] as Resource,
        votesYes: votes[index] as boolean,
        answer: (from, message, answer) => {
          const to = senders.get(messageKey(from, message));
          if (to !== undefined) world.send(from, to.id, () => to.receive(from, message.kind, answer));
        },
        inquire: (participant, round) => {
          world.send(participant.id, "c", () => coordinator.inquired(participant.id));
          if (protocol === "3pc" && round > index) backups.push(takeOver(participant, index, backups.length));
        },
      }),
  );
  for (const participant of participants) byId.set(participant.id, participant);
  const tell = (id: string, decision: "commit" | "abort") => {
    const kind = protocol === "tcc" ? (decision === "commit" ? "confirm" : "cancel") : decision;
    deliver("c", () => coordinator, { to: id, kind, ballot: 1, expiresAt: null });
  };
  const coordinator: Coordinator = new Coordinator("c", world, crashes, {
    rules,
    open: (nowMs) =>
      rules.openTransaction({
        id: "t",
        protocol,
        participants: ids,
        nowMs,
        voteWithinMs: 3_000,
        retryMs,
        reserveForMs: random.between(2_500, 9_000),
      }),
    writesOnlyDecisions: protocol === "2pc" && random.chance(0.5),
    returns: coordinatorReturns,
    deliver: (message) => deliver("c", () => coordinator, message),
    tell,
  });

  /** A participant in doubt becomes coordinator under a ballot that nobody else can have. */
  function takeOver(participant: Participant, index: number, serial: number): Coordinator {
    const ballot = 2 + serial * count + index;
    const host = participant.id;
    const backup: Coordinator = new Coordinator(
      host,
      world,
      crashes,
      {
        rules,
        open: (nowMs): Transaction =>
          rules.openTermination({
            id: "t",
            participants: ids.map((id): Branch => freshBranch(id, nowMs)),
            ballot,
            nowMs,
            answerWithinMs: backupAnswersWithinMs,
            retryMs,
          }),
        writesOnlyDecisions: false,
        returns: true,
        deliver: (message) => deliver(host, () => backup, message),
        tell,
      },
      "backup",
    );
    world.after(0, () => backup.begin());
    return backup;
  }

  return { protocol, coordinator, backups, participants, resources, votes, coordinatorReturns };
}

function messageKey(participant: string, message: IncomingMessage): string {
  return `${participant}/${message.ballot}`;
}

function freshBranch(id: string, nowMs: number): Branch {
  return {
    id,
    state: "yes",
    asked: null,
    votedAt: null,
    endedAt: null,
    attempts: 0,
    nextAt: nowMs,
    lastError: null,
    report: null,
  };
}

/** Splits the nodes for some seconds; the coordinator may be on either side. */
function schedulePartition(world: World, random: Random, run: Run): void {
  if (!random.chance(0.5)) return;
  const side = new Set(["c", ...run.participants.map(({ id }) => id)].filter(() => random.chance(0.5)));
  const fromMs = random.between(0, 1_500);
  world.after(fromMs, () => world.cut((from, to) => side.has(from) !== side.has(to)));
  world.after(Math.min(faultsUntilMs, fromMs + random.between(500, 9_000)), () => world.cut(() => false));
}

function describeOutcome(run: Run): string {
  const phase = run.coordinator.transaction?.phase ?? "unknown";
  const states = new Set(run.participants.map(({ record }) => record.state));
  return `${phase} (${[...states].sort().join(", ")})`;
}
