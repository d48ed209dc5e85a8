import { describe, expect, it } from "vitest";
import { Network, nextRetransmissionMs, type Side } from "./network.ts";
import { createRandom } from "./random.ts";
import { World } from "./world.ts";

function connectPair(world: World, network: Network, userTimeoutMs = 3_000) {
  const here = world.addProcess("here", world.addHost("h1"));
  const there = world.addProcess("there", world.addHost("h2"));
  world.boot(here);
  world.boot(there);
  const got: string[] = [];
  let server: Side<string> | null = null;
  let client: Side<string> | null = null;
  network.listen<string>("h2", "echo", {
    process: there,
    accept: (side) => {
      server = side;
      side.onMessage = (message) => got.push(message);
      side.onClose = (reason) => got.push(`server ${reason}`);
    },
  });
  const dial = (): void =>
    network.connect<string>(
      here,
      { host: there.host, service: "echo" },
      { userTimeoutMs, connectTimeoutMs: 1_000 },
      (side) => {
        client = side;
        side.onClose = (reason) => got.push(`client ${reason}`);
      },
      (reason) => got.push(`failed ${reason}`),
    );
  dial();
  world.runUntil(10);
  return { here, there, got, dial, side: () => client as unknown as Side<string>, server: () => server };
}

describe("world", () => {
  it("runs the same seed the same way", () => {
    const draw = (seed: number): number[] => {
      const random = createRandom(seed);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("keeps work of a stopped process until it goes on, and drops that of a dead one", () => {
    const world = new World(1);
    const process = world.addProcess("p", world.addHost("h"));
    world.boot(process);
    const done: string[] = [];
    world.after(5, process, () => done.push("first"));
    world.freeze(process);
    world.runUntil(100);
    expect(done).toEqual([]);
    world.resume(process);
    world.after(5, process, () => done.push("second"));
    world.runUntil(101);
    world.kill(process);
    world.runUntil(200);
    expect(done).toEqual(["first"]);
  });
});

describe("network", () => {
  it("delivers in order", () => {
    const world = new World(1);
    const pair = connectPair(world, new Network(world));
    for (const text of ["1", "2", "3"]) pair.side().send(text);
    world.runUntil(20);
    expect(pair.got).toEqual(["1", "2", "3"]);
  });

  it("holds back what is sent over a cut link, and delivers it after a short cut", () => {
    const world = new World(1);
    const network = new Network(world);
    const pair = connectPair(world, network);
    network.block("h1", "h2");
    pair.side().send("late");
    world.runUntil(1_000);
    expect(pair.got).toEqual([]);
    network.unblock("h1", "h2");
    world.runUntil(1_500);
    expect(pair.got).toEqual(["late"]);
  });

  it("waits after the heal for the sender's next retransmission, as Linux spaces them", () => {
    expect([0, 1_000, 2_000, 10_000].map(nextRetransmissionMs)).toEqual([200, 1_400, 3_000, 12_600]);
    const world = new World(1);
    const network = new Network(world);
    const pair = connectPair(world, network, 60_000);
    network.block("h1", "h2");
    pair.side().send("late");
    world.runUntil(10_000);
    network.unblock("h1", "h2");
    world.runUntil(12_500);
    expect(pair.got).toEqual([]);
    world.runUntil(12_700);
    expect(pair.got).toEqual(["late"]);
  });

  it("holds one connection up while a newer one passes; what was sent before a close still comes, behind it", () => {
    const world = new World(1);
    const network = new Network(world);
    const pair = connectPair(world, network, 60_000);
    const goOn = network.holdStreams(pair.here, pair.there);
    const old = pair.side();
    old.send("old 1");
    old.send("old 2");
    world.runUntil(100);
    pair.dial();
    world.runUntil(200);
    pair.side().send("new");
    world.runUntil(300);
    old.close();
    expect(pair.got).toEqual(["new"]);
    goOn();
    world.runUntil(1_000);
    expect(pair.got).toEqual(["new", "old 1", "old 2", "server closed"]);
  });

  it("tells one end that a connection is gone, and the other when it sends", () => {
    const world = new World(1);
    const network = new Network(world);
    const pair = connectPair(world, network);
    network.resetStreams(pair.here, pair.there);
    world.runUntil(100);
    expect(pair.got).toEqual(["client closed"]);
    pair.server()?.send("anybody there?");
    world.runUntil(200);
    expect(pair.got).toEqual(["client closed", "server closed"]);
  });

  it("gives a connection up after its user timeout", () => {
    const world = new World(1);
    const network = new Network(world);
    const pair = connectPair(world, network);
    network.block("h1", "h2");
    pair.side().send("never");
    world.runUntil(5_000);
    expect(pair.got).toEqual(["client timeout"]);
  });

  it("tells the peer of a killed process, and says nothing when the power goes", () => {
    const world = new World(1);
    const network = new Network(world);
    const pair = connectPair(world, network);
    pair.there.onDeath.push((how) => network.dropProcess(pair.there, how));
    world.kill(pair.there);
    world.runUntil(50);
    expect(pair.got).toEqual(["client closed"]);

    const dark = new World(1);
    const darkNetwork = new Network(dark);
    const other = connectPair(dark, darkNetwork);
    other.there.onDeath.push((how) => darkNetwork.dropProcess(other.there, how));
    other.there.host.up = false;
    dark.kill(other.there, "power");
    dark.runUntil(2_000);
    expect(other.got).toEqual([]);
  });
});
