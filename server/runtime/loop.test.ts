import { beforeEach, describe, expect, it } from "vitest";
import {
  applyWrites,
  type CommandRecord,
  createState,
  type Decision,
  defaultPolicy,
  type Event,
} from "../core/index.ts";
import { createMemoryStores, type MemoryStores } from "../store/index.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { ControlLoop, type Published } from "./loop.ts";

const admin = { id: "u1", name: "Ada", role: "admin" } as const;

const command: CommandRecord = {
  id: "c1",
  node: "pg-a",
  cluster: "orders",
  actionId: "ACT-1",
  stepIndex: 0,
  grant: { epoch: 1, intentId: "i", step: 1, configVersion: 1 },
  verb: { verb: "postgres.fence", args: {} },
  createdAt: 1,
};

const nothing: Decision = {
  writes: [],
  send: [],
  replies: [],
  acknowledge: [],
  touched: new Set(),
  wakeAtMs: null,
};

/** A core that makes a command of every request, finishes it on its result, and only looks at everything else. */
function decideSmall(events: readonly Event[]): Decision {
  const writes: Decision["writes"][number][] = [];
  const send: CommandRecord[] = [];
  const replies: Decision["replies"][number][] = [];
  const acknowledge: { node: string; commandId: string }[] = [];
  for (const event of events) {
    if (event.kind === "operator-requested") {
      writes.push({ kind: "put-command", value: command });
      send.push(command);
      replies.push({ requestId: event.requestId, ok: true, data: { action: "ACT-1" } });
    } else if (event.kind === "command-finished") {
      writes.push({ kind: "finish-command", id: event.commandId, outcome: event.outcome });
      acknowledge.push({ node: event.node, commandId: event.commandId });
    }
  }
  return { ...nothing, writes, send, replies, acknowledge, touched: new Set(["system"]) };
}

let stores: MemoryStores;
let clock: FakeClock;
let loop: ControlLoop;
let sent: string[];
let acknowledged: string[];
let published: Published[];
let judged: Event[];
let conflicts: string[];
const state = () => loopState;
let loopState = createState(defaultPolicy);

async function start(): Promise<void> {
  loopState = createState(defaultPolicy);
  loop = new ControlLoop({
    state: loopState,
    core: {
      decide(_state, events) {
        judged.push(...events);
        return decideSmall(events);
      },
      applyWrites,
    },
    store: stores.store,
    clock,
    link: {
      send: (each) => sent.push(each.id) > 0,
      acknowledge: (_node, id) => acknowledged.push(id),
      renewLease: () => {},
      drop: () => {},
      refreshPeers: () => {},
    },
    owner: "test",
    policyOverrides: {},
    publish: (each) => published.push(each),
    onConflict: (detail) => conflicts.push(detail),
    log: () => {},
  });
  await loop.start();
}

beforeEach(async () => {
  stores = createMemoryStores();
  clock = new FakeClock();
  sent = [];
  acknowledged = [];
  published = [];
  judged = [];
  conflicts = [];
  await start();
});

const request = () => loop.request(admin, { kind: "revoke-node", node: "pg-a", reason: "test" });
const result: Event = {
  kind: "command-finished",
  node: "pg-a",
  commandId: "c1",
  outcome: { status: "done", data: {} },
  nodeAt: 0,
};
const storedCommands = async () => [...(await stores.store.load()).commands.keys()];

describe("the loop", () => {
  it("commits before it sends and answers", async () => {
    let committedFirst = false;
    const commit = stores.store.commit.bind(stores.store);
    stores.store.commit = async (epoch, writes) => {
      const outcome = await commit(epoch, writes);
      committedFirst = sent.length === 0;
      return outcome;
    };
    expect(await request()).toMatchObject({ ok: true, data: { action: "ACT-1" } });
    expect(committedFirst).toBe(true);
    expect(sent).toEqual(["c1"]);
    expect(state().durable.commands.has("c1")).toBe(true);
    expect(await storedCommands()).toEqual(["c1"]);
  });

  it("takes what has already arrived into one batch, and commits nothing for what is only observed", async () => {
    let commits = 0;
    stores.store.commit = async () => {
      commits += 1;
      return { ok: true, timeline: [] };
    };
    for (let i = 0; i < 5; i++) loop.post({ kind: "ticked" });
    await settle();
    expect(judged.length).toBe(5);
    expect(commits).toBe(0);
  });

  it("ticks in its own rhythm, however much arrives", async () => {
    judged.length = 0;
    for (let i = 0; i < 100; i++) {
      loop.post({ kind: "signal-recorded", node: "pg-a", code: "x", nodeAt: 0, data: {} });
      await clock.advance(50);
    }
    const ticks = judged.filter((event) => event.kind === "ticked").length;
    expect(ticks).toBeGreaterThanOrEqual(18);
    expect(ticks).toBeLessThanOrEqual(22);
  });

  it("leaves no trace of a decision whose commit failed, and refuses with the reason", async () => {
    published.length = 0;
    stores.faults.available = false;
    const reply = await request();
    expect(reply).toMatchObject({ ok: false, code: "store-unavailable" });
    expect(sent).toEqual([]);
    expect(state().durable.commands.size).toBe(0);
    expect(published.filter((each) => each.durable)).toEqual([]);
    stores.faults.available = true;
    expect(await storedCommands()).toEqual([]);
  });

  it("goes on observing without the store, and refuses requests without waiting", async () => {
    stores.faults.available = false;
    await request();
    await settle();
    judged.length = 0;
    loop.post({ kind: "ticked" });
    await settle();
    expect(judged.map((event) => event.kind)).toContain("ticked");
    expect(loop.storeAvailable).toBe(false);
    expect(await request()).toMatchObject({ ok: false, code: "store-unavailable" });
  });

  it("tells the core that the store was lost and is back, and loses no result in between", async () => {
    await request();
    stores.faults.available = false;
    loop.post(result);
    await settle();
    expect(judged.some((event) => event.kind === "store-lost")).toBe(true);
    expect(acknowledged).toEqual([]);
    stores.faults.available = true;
    await clock.advance(2_000);
    expect(judged.some((event) => event.kind === "store-returned")).toBe(true);
    expect(acknowledged).toEqual(["c1"]);
    expect(await storedCommands()).toEqual([]);
  });

  it.each(["made", "not-made"] as const)("reads again after an answer that was lost (%s)", async (fate) => {
    stores.faults.nextAnswerLost = fate;
    expect(await request()).toMatchObject({ ok: false, code: "outcome-unknown" });
    expect(sent).toEqual([]);
    await clock.advance(5_000);
    const made = fate === "made";
    expect(state().durable.commands.has("c1")).toBe(made);
    // What was committed after all is sent by the outbox; what was not is never sent.
    expect(sent.length > 0).toBe(made);
    expect(loop.storeAvailable).toBe(true);
  });

  it("steps down when another leads", async () => {
    await stores.store.lead("somebody-else");
    expect(await request()).toMatchObject({ ok: false, code: "not-leader" });
    expect(conflicts.length).toBe(1);
    expect(sent).toEqual([]);
    expect(loop.post({ kind: "ticked" })).toBe(false);
  });

  it("repeats a command without a result, the same id, and everything pending to a new session", async () => {
    await request();
    await clock.advance(4_000);
    expect(sent.length).toBeGreaterThan(1);
    expect(new Set(sent)).toEqual(new Set(["c1"]));
    const before = sent.length;
    loop.post({ kind: "agent-connected", node: "pg-a", sessionId: "s", bootId: "b", version: "1", address: "" });
    await settle();
    expect(sent.length).toBe(before + 1);
    loop.post(result);
    await settle();
    const after = sent.length;
    await clock.advance(60_000);
    expect(sent.length).toBe(after);
  });

  it("isolates an event that breaks an invariant", async () => {
    await loop.stop();
    const broken: Event = { kind: "store-returned" };
    const loop2 = new ControlLoop({
      state: createState(defaultPolicy),
      core: {
        decide(_state, events) {
          if (events.includes(broken)) throw new Error("invariant");
          judged.push(...events);
          return decideSmall(events);
        },
        applyWrites,
      },
      store: stores.store,
      clock,
      link: {
        send: () => true,
        acknowledge: (_node, id) => acknowledged.push(id),
        renewLease: () => {},
        drop: () => {},
        refreshPeers: () => {},
      },
      owner: "test",
      policyOverrides: {},
      publish: () => {},
      onConflict: () => {},
      log: () => {},
    });
    await loop2.start();
    loop2.post(broken);
    loop2.post(result);
    await settle();
    expect(acknowledged).toEqual(["c1"]);
    await loop2.stop();
  });

  it("starts without a store and takes the lead when it comes", async () => {
    await loop.stop();
    stores.faults.available = false;
    await start();
    expect(loop.isReady).toBe(false);
    stores.faults.available = true;
    await clock.advance(2_000);
    expect(loop.storeAvailable).toBe(true);
    expect(await request()).toMatchObject({ ok: true });
  });
});
