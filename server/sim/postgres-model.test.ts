import { describe, expect, it } from "vitest";
import { Network } from "./network.ts";
import { PostgresModel } from "./postgres-model.ts";
import type { SimWorld, TraceEvent } from "./trace.ts";
import { holds } from "./wal.ts";
import { World } from "./world.ts";

/** Servers `a` (primary), `b`, `c` of one system; `names` is what `a` waits for. */
function createServers(names: string) {
  const world: SimWorld = new World<TraceEvent>(3);
  const network = new Network(world);
  const servers = new Map<string, PostgresModel>();
  for (const name of ["a", "b", "c"]) {
    servers.set(name, new PostgresModel(world, network, world.addHost(name), (node) => servers.get(node)));
  }
  const [a, b, c] = [...servers.values()] as [PostgresModel, PostgresModel, PostgresModel];
  for (const server of [a, b, c]) {
    server.disk.state = "ok";
    server.disk.systemId = "1";
    server.disk.names = "ANY 1 (e0_nobody)";
    server.disk.standbySignal = server !== a;
    server.disk.upstream = server === a ? null : "a";
    server.disk.applicationName = `e1_${server.node}`;
  }
  a.disk.names = names;
  a.start();
  world.runUntil(1_000);
  b.start();
  c.start();
  world.runUntil(2_000);
  const events: TraceEvent[] = [];
  world.listen((event) => events.push(event));
  return { world, network, a, b, c, events };
}

/** Inserts a row; the answer says how it ended after `ms`: `waiting` when nothing came back. */
function insertAndWait(world: SimWorld, server: PostgresModel, row: number, ms = 100): string {
  let how = "waiting";
  if (
    !server.insert(row, (ended) => {
      how = ended;
    })
  )
    return "refused";
  world.runUntil(world.nowMs + ms);
  return how;
}

describe("synchronous replication", () => {
  it("acknowledges when k of the named standbys have flushed, and not before", () => {
    const { world, network, a } = createServers('ANY 1 ("e1_b")');
    expect(insertAndWait(world, a, 1)).toBe("acknowledged");
    network.block("a", "b");
    expect(insertAndWait(world, a, 2, 500)).toBe("waiting");
  });

  it("acknowledges nothing under names that nobody carries", () => {
    const { world, a } = createServers("ANY 1 (e0_nobody)");
    expect(insertAndWait(world, a, 1, 2_000)).toBe("waiting");
  });

  it("acknowledges at once under empty names", () => {
    const { world, a, events } = createServers("");
    expect(insertAndWait(world, a, 1)).toBe("acknowledged");
    expect(events).toContainEqual(expect.objectContaining({ kind: "row-acknowledged", asynchronous: true }));
  });

  it("counts walsenders, not names: two connections of one name satisfy ANY 2", () => {
    const { world, a, c } = createServers('ANY 2 ("e1_b","e1_d")');
    expect(insertAndWait(world, a, 1, 500)).toBe("waiting");
    c.setUpstream("a", "e1_b");
    world.runUntil(world.nowMs + 500);
    expect(insertAndWait(world, a, 2)).toBe("acknowledged");
  });

  it("lets a member stream once, by its slot, also while its former walsender is still there", () => {
    const streamsOfB = (bySlot: boolean): number => {
      const { world, network, a, b } = createServers('ANY 2 ("e1_b","e1_d")');
      b.streamsBySlot = bySlot;
      b.setUpstream("a", "e1_b");
      world.runUntil(world.nowMs + 300);
      network.resetStreams(b.process, a.process);
      world.runUntil(world.nowMs + 300);
      return a.senders.filter((sender) => sender.applicationName === "e1_b").length;
    };
    expect([streamsOfB(false), streamsOfB(true)]).toEqual([2, 1]);
  });

  it("acknowledges late on a resumed primary, and only what the standby had flushed", () => {
    const { world, a, b, events } = createServers('ANY 1 ("e1_b")');
    let how = "waiting";
    a.insert(1, (ended) => {
      how = ended;
    });
    while (b.disk.written.row !== 1) world.runUntil(world.nowMs + 0.05);
    world.freeze(a.process);
    world.runUntil(world.nowMs + 1_000);
    expect(how).toBe("waiting");
    world.resume(a.process);
    world.runUntil(world.nowMs + 50);
    expect(how).toBe("acknowledged");
    expect(events.filter((event) => event.kind === "row-acknowledged")).toHaveLength(1);
    expect(b.disk.flushed.row === 1 || holds(b.disk.flushed, a.disk.flushed)).toBe(true);
  });

  it("ends a waiting commit without an answer when the server dies", () => {
    const { world, a } = createServers("ANY 1 (e0_nobody)");
    let how = "waiting";
    a.insert(1, (ended) => {
      how = ended;
    });
    world.runUntil(world.nowMs + 20);
    a.stopImmediate();
    expect(how).toBe("lost");
  });
});

describe("crash", () => {
  it("keeps what was written when the process is killed, and loses what was not synced with the power", () => {
    const { world, a, c } = createServers('ANY 1 ("e1_b")');
    a.diskStuck = true;
    a.insert(1, () => {});
    expect(a.disk.written.row).toBe(1);
    a.stopImmediate();
    expect(a.disk.written.row).toBe(1);
    c.diskStuck = true;
    let lost = false;
    for (let attempt = 0; attempt < 20 && !lost; attempt++) {
      const server = createServers('ANY 1 ("e1_b")');
      server.a.diskStuck = true;
      for (let row = 1; row <= 5; row++) server.a.insert(row, () => {});
      server.world.kill(server.a.process, "power");
      lost = server.a.disk.written.row < 5;
    }
    expect(lost).toBe(true);
    world.runUntil(world.nowMs + 10);
  });
});

describe("a restarted standby", () => {
  it("knows no received position until it streams again, though its disk has everything", () => {
    const { world, a, b } = createServers('ANY 1 ("e1_b")');
    insertAndWait(world, a, 1);
    expect(b.receivedLsn).toBe(b.disk.flushed.lsn);
    b.stopImmediate();
    a.stopImmediate();
    b.start();
    world.runUntil(world.nowMs + 1_000);
    expect([b.receivedLsn, b.disk.flushed.row]).toEqual([null, 1]);
    a.start();
    world.runUntil(world.nowMs + 1_000);
    expect(b.receivedLsn).not.toBeNull();
  });
});

describe("timelines", () => {
  it("opens a new timeline at the end of local WAL, and the other standby follows it", () => {
    const { world, a, b, c } = createServers('ANY 1 ("e1_b","e1_c")');
    insertAndWait(world, a, 1);
    a.stopImmediate();
    b.promote(() => {});
    world.runUntil(world.nowMs + 300);
    expect(b.disk.flushed.timeline).toBe(2);
    c.setUpstream("b", "e2_c");
    world.runUntil(world.nowMs + 300);
    expect(c.receiver?.status).toBe("streaming");
    expect(holds(c.disk.flushed, b.disk.flushed) || holds(b.disk.flushed, c.disk.flushed)).toBe(true);
  });

  it("refuses a standby that is past the point where the new timeline left its own", () => {
    const { world, network, a, b } = createServers('ANY 1 ("e1_b","e1_c")');
    network.block("a", "b");
    insertAndWait(world, a, 1, 500);
    a.stopImmediate();
    b.promote(() => {});
    world.runUntil(world.nowMs + 300);
    a.disk.standbySignal = true;
    a.disk.upstream = "b";
    a.start();
    world.runUntil(world.nowMs + 1_000);
    expect(a.receiver?.status ?? "none").not.toBe("streaming");
  });

  it("says so when two histories would meet under one number", () => {
    const { world, network, a, b, c, events } = createServers('ANY 1 ("e1_b","e1_c")');
    network.block("b", "c");
    network.block("c", "b");
    a.stopImmediate();
    b.promote(() => {});
    c.promote(() => {});
    world.runUntil(world.nowMs + 300);
    b.disk.names = "";
    b.stopImmediate();
    b.start();
    world.runUntil(world.nowMs + 500);
    insertAndWait(world, b, 1);
    c.stopImmediate();
    network.unblock("b", "c");
    network.unblock("c", "b");
    c.disk.standbySignal = true;
    c.disk.upstream = "b";
    c.start();
    world.runUntil(world.nowMs + 1_000);
    expect(events).toContainEqual(expect.objectContaining({ kind: "history-mixed", node: "c", timeline: 2 }));
  });
});
