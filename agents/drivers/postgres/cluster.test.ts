import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandOutcome, Endpoint, Grant, SyncConfiguration } from "../../../server/core/index.ts";
import { monotonicMs, poll } from "../../shared/time.ts";
import { SqlConnection } from "./sql.ts";
import { findBinDir, makeTrialRoot, TrialMember } from "./testing/trial-cluster.ts";

const binDir = await findBinDir();

function grant(epoch: number, step: number, configVersion: number): Grant {
  return { epoch, intentId: `intent-${epoch}`, step, configVersion };
}

function dataOf(outcome: CommandOutcome): Readonly<Record<string, unknown>> {
  if (outcome.status !== "done") throw new Error(`${outcome.status} ${outcome.code}: ${outcome.detail}`);
  return outcome.data;
}

async function asUser(member: TrialMember): Promise<SqlConnection> {
  const { host, port } = member.endpoint;
  return SqlConnection.connect(
    { host, port, user: "app", password: "app", database: "app", applicationName: "writer" },
    { deadlineMs: 2_000 },
  );
}

describe.skipIf(binDir === null)("a cluster on real PostgreSQL", { timeout: 180_000 }, () => {
  let root: Awaited<ReturnType<typeof makeTrialRoot>>;
  let a: TrialMember;
  let b: TrialMember;
  let c: TrialMember;
  let peers: readonly Endpoint[];
  const none: SyncConfiguration = { epoch: 1, version: 1, k: 0, members: [] };
  const first: SyncConfiguration = { epoch: 1, version: 2, k: 1, members: ["pg-b", "pg-c"] };
  const second: SyncConfiguration = { epoch: 2, version: 3, k: 1, members: ["pg-c"] };

  beforeAll(async () => {
    root = await makeTrialRoot();
    a = await TrialMember.create(root.path, "pg-a", binDir as string);
    b = await TrialMember.create(root.path, "pg-b", binDir as string);
    c = await TrialMember.create(root.path, "pg-c", binDir as string);
    peers = [a.endpoint, b.endpoint, c.endpoint];
  });

  afterAll(async () => {
    for (const member of [a, b, c]) await member?.end();
    await root?.remove();
  });

  it("is made, cloned, and waits for a standby before it acknowledges", async () => {
    const made = dataOf(
      await a.run(grant(1, 0, 1), { verb: "postgres.initialize", args: { configuration: none, peers } }),
    );
    expect(made.timeline).toBe(1);
    for (const member of [b, c]) {
      const startedAt = monotonicMs();
      const reply = dataOf(
        await member.run(grant(1, 1, 1), {
          verb: "postgres.rejoin",
          args: { primary: a.endpoint, mode: "clone", configurations: [none] },
        }),
      );
      console.log("clone", member.endpoint.node, Math.round(monotonicMs() - startedAt), "ms", reply);
      expect(reply.mode).toBe("clone");
    }
    const configured = dataOf(
      await a.run(grant(1, 2, 2), {
        verb: "postgres.configure",
        args: { configuration: first, leaving: [], peers },
      }),
    );
    expect(configured.flushLsn).toBeGreaterThan(0);
    dataOf(await a.run(grant(1, 3, 2), { verb: "postgres.verify", args: { deadlineMs: 5_000 } }));
    const writer = await asUser(a);
    await writer.query("CREATE TABLE numbers (n int PRIMARY KEY)", [], 5_000);
    await writer.query("INSERT INTO numbers SELECT generate_series(1, 1000)", [], 5_000);
    writer.destroy();
    const status = await poll(
      () => {
        const seen = a.instance.snapshot(monotonicMs());
        return seen.replication.filter((row) => row.syncState === "quorum").length === 2 ? seen : null;
      },
      { intervalMs: 50, deadlineMs: 5_000 },
    );
    expect(status?.synchronousStandbyNames).toBe('ANY 1 ("e1_pg-b","e1_pg-c")');
    expect(status?.role).toBe("primary");
  });

  it("fails over: seal, promote, follow, and the next commit is acknowledged", async () => {
    const pid = a.instance.supervisor.pid as number;
    const crashedAt = monotonicMs();
    process.kill(pid, "SIGKILL");
    const seals = await Promise.all(
      [b, c].map((member) => member.run(grant(2, 0, 2), { verb: "postgres.seal", args: {} })),
    );
    const sealedAt = monotonicMs();
    const [sealB, sealC] = seals.map(dataOf);
    console.log("seal", Math.round(sealedAt - crashedAt), "ms", sealB, sealC);
    expect(sealB?.timeline).toBe(1);
    expect(sealB?.promoted).toBe(false);
    const promoting = b.run(grant(2, 1, 3), {
      verb: "postgres.promote",
      args: { configuration: second, peers, timeline: 1 },
    });
    const following = c.run(grant(2, 1, 3), {
      verb: "postgres.follow",
      args: { primary: b.endpoint, configurations: [first, second] },
    });
    const promoted = dataOf(await promoting);
    const promotedAt = monotonicMs();
    dataOf(await following);
    const writer = await asUser(b);
    await writer.query("INSERT INTO numbers VALUES (5000)", [], 5_000);
    const acknowledgedAt = monotonicMs();
    const rows = await writer.query("SELECT count(*)::int AS n FROM numbers", [], 5_000);
    writer.destroy();
    console.log(
      `promote ${Math.round(promotedAt - sealedAt)} ms, first acknowledgement ${Math.round(acknowledgedAt - crashedAt)} ms after the crash`,
      promoted,
    );
    expect(promoted.timeline).toBe(2);
    expect(rows[0]?.n).toBe(1001);
  });
});
