import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  CommandOutcome,
  Endpoint,
  Grant,
  PostgresStatus,
  SyncConfiguration,
  TimelineStart,
} from "../../../server/core/index.ts";
import { ensureEmbeddedBinaries } from "../../../server/store/embedded/binaries.ts";
import { exists } from "../../shared/durable-file.ts";
import { monotonicMs, poll } from "../../shared/time.ts";
import { createCluster } from "./initialize.ts";
import { fencedSettings, primarySettings, standbySettings } from "./settings.ts";
import { SqlConnection } from "./sql.ts";
import { findBinDir, makeTrialRoot, TrialMember } from "./testing/trial-cluster.ts";

/** Both ways to clone: the embedded binaries have no `pg_basebackup`, a distribution's have everything. */
const installations = [
  [
    "the embedded binaries",
    await ensureEmbeddedBinaries()
      .then(({ binDir }) => binDir)
      .catch(() => null),
  ],
  ["the system's PostgreSQL", await findBinDir()],
] as const;
const present = installations.flatMap(([name, binDir]) => (binDir === null ? [] : [[name, binDir] as const]));

function grant(epoch: number, step: number, configVersion: number): Grant {
  return { epoch, intentId: `intent-${epoch}`, step, configVersion };
}

function dataOf(outcome: CommandOutcome): Readonly<Record<string, unknown>> {
  if (outcome.status !== "done") throw new Error(`${outcome.status} ${outcome.code}: ${outcome.detail}`);
  return outcome.data;
}

async function asUser({ endpoint: { host, port } }: TrialMember): Promise<SqlConnection> {
  const target = { host, port, user: "app", password: "app", database: "app", applicationName: "writer" };
  return SqlConnection.connect(target, { deadlineMs: 2_000 });
}

async function write(member: TrialMember, n: number): Promise<void> {
  const writer = await asUser(member);
  await writer.query("INSERT INTO numbers VALUES ($1)", [n], 5_000).finally(() => writer.destroy());
}

async function numbersOn(member: TrialMember): Promise<number> {
  const reader = await asUser(member);
  const rows = await reader.query("SELECT count(*)::int AS n FROM numbers", [], 5_000).finally(() => reader.destroy());
  return Number(rows[0]?.n);
}

function until(member: TrialMember, holds: (status: PostgresStatus) => boolean): Promise<PostgresStatus | null> {
  return poll(
    () => {
      const status = member.instance.snapshot(monotonicMs());
      return holds(status) ? status : null;
    },
    { intervalMs: 20, deadlineMs: 15_000 },
  );
}

describe.each(present)("a cluster on %s", { timeout: 180_000 }, (_what, binDir) => {
  let root: Awaited<ReturnType<typeof makeTrialRoot>>;
  let a: TrialMember;
  let b: TrialMember;
  let c: TrialMember;
  let peers: readonly Endpoint[];
  const history: TimelineStart[] = [];
  const none: SyncConfiguration = { epoch: 1, version: 1, k: 0, members: [] };
  const first: SyncConfiguration = { epoch: 1, version: 2, k: 1, members: ["pg-b", "pg-c"] };

  const configurationOf = (epoch: number, version: number, members: readonly TrialMember[]): SyncConfiguration => ({
    epoch,
    version,
    k: 1,
    members: members.map((member) => member.endpoint.node).sort(),
  });

  beforeAll(async () => {
    root = await makeTrialRoot();
    a = await TrialMember.create(root.path, "pg-a", binDir);
    b = await TrialMember.create(root.path, "pg-b", binDir);
    c = await TrialMember.create(root.path, "pg-c", binDir);
    peers = [a.endpoint, b.endpoint, c.endpoint];
  }, 180_000);

  afterAll(async () => {
    for (const member of [a, b, c]) await member?.end();
    await root?.remove();
  }, 60_000);

  it("is made by one member and cloned by the others", async () => {
    const initialize = { verb: "postgres.initialize", args: { configuration: none, peers } } as const;
    expect(dataOf(await a.run(grant(1, 0, 1), initialize)).timeline).toBe(1);
    for (const member of [b, c]) {
      const args = { primary: a.endpoint, mode: "clone", configurations: [none] } as const;
      const reply = dataOf(await member.run(grant(1, 1, 1), { verb: "postgres.rejoin", args }));
      expect(reply).toMatchObject({ mode: "clone", divergentBytes: 0, setAside: null });
      const status = await until(member, (seen) => seen.receiver?.status === "streaming");
      expect(status).toMatchObject({ state: "running", role: "standby", synchronousStandbyNames: "ANY 1 (e0_nobody)" });
    }
  });

  it("acknowledges a write only when a standby of its epoch holds it", async () => {
    const configure = { verb: "postgres.configure", args: { configuration: first, leaving: [], peers } } as const;
    expect(dataOf(await a.run(grant(1, 2, 2), configure)).flushLsn).toBeGreaterThan(0);
    dataOf(await a.run(grant(1, 3, 2), { verb: "postgres.verify", args: { deadlineMs: 5_000 } }));
    const writer = await asUser(a);
    await writer.query("CREATE TABLE numbers (n int PRIMARY KEY)", [], 5_000);
    await writer.query("INSERT INTO numbers SELECT generate_series(1, 1000)", [], 5_000);
    const counted = (seen: PostgresStatus) => seen.replication.filter((row) => row.syncState === "quorum").length === 2;
    expect((await until(a, counted))?.synchronousStandbyNames).toBe('ANY 1 ("e1_pg-b","e1_pg-c")');
    const alone: SyncConfiguration = { epoch: 1, version: 3, k: 1, members: ["pg-x"] };
    dataOf(
      await a.run(grant(1, 4, 3), { verb: "postgres.configure", args: { configuration: alone, leaving: [], peers } }),
    );
    const unheard = await a.run(grant(1, 5, 3), { verb: "postgres.verify", args: { deadlineMs: 400 } });
    expect(unheard).toMatchObject({ status: "failed", code: "not-acknowledged" });
    const again = { ...first, version: 4 };
    dataOf(
      await a.run(grant(1, 6, 4), { verb: "postgres.configure", args: { configuration: again, leaving: [], peers } }),
    );
    writer.destroy();
  });

  it("fails over: a sealed standby receives nothing, the promoted one acknowledges what its follower holds", async () => {
    const seals = await Promise.all(
      [b, c].map((member) => member.run(grant(2, 0, 4), { verb: "postgres.seal", args: {} })),
    );
    // The highest position is the candidate; anything else could lose an acknowledged commit. From here on it is called b.
    if (Number(dataOf(seals[1] as CommandOutcome).lsn) > Number(dataOf(seals[0] as CommandOutcome).lsn)) {
      [b, c] = [c, b];
      seals.reverse();
    }
    const [sealB, sealC] = seals.map(dataOf);
    expect(sealB).toMatchObject({ timeline: 1, promoted: false });
    // The old primary still runs, and nobody acknowledges for it any more: this row is its own.
    await expect(write(a, 4_000)).rejects.toThrow(/took longer/);
    expect((await until(b, (seen) => seen.receiver?.status === "none"))?.lsn).toBe(sealB?.lsn);
    expect((await until(a, (seen) => Number(seen.lsn) > Number(sealB?.lsn)))?.role).toBe("primary");
    expect(Number(sealC?.lsn)).toBeLessThanOrEqual(Number(sealB?.lsn));

    const startedAt = monotonicMs();
    const second = configurationOf(2, 4, [c]);
    const args = { configuration: second, peers, timeline: 2 };
    const promoting = b.run(grant(2, 1, 4), { verb: "postgres.promote", args });
    history.push({ timeline: 1, switchLsn: null }, { timeline: 2, switchLsn: Number(sealB?.lsn) });
    const follow = { primary: b.endpoint, configurations: [first, second], history };
    const following = c.run(grant(2, 1, 4), { verb: "postgres.follow", args: follow });
    expect(dataOf(await promoting)).toMatchObject({ timeline: 2, switchLsn: sealB?.lsn });
    dataOf(await following);
    await write(b, 5_000);
    const ackMs = Math.round(monotonicMs() - startedAt);
    expect(await numbersOn(b)).toBe(1_001);
    console.log(`seal ${sealB?.receiverGoneMs} ms; promote to first acknowledgement ${ackMs} ms`);
  });

  it("follows nobody whose history it is past: PostgreSQL would take its word for commits that it does not hold", async () => {
    const ahead = await asUser(a);
    await ahead.query("SET synchronous_commit = local", [], 2_000);
    await ahead.query("INSERT INTO numbers SELECT generate_series(100001, 110000)", [], 5_000);
    ahead.destroy();
    dataOf(await a.run(grant(2, 2, 4), { verb: "postgres.fence", args: {} }));
    await until(a, (seen) => seen.role === "standby");
    const configurations = [configurationOf(2, 4, [c])];
    const follow = { verb: "postgres.follow", args: { primary: b.endpoint, configurations, history } } as const;
    expect(await a.run(grant(2, 2, 4), follow)).toMatchObject({ status: "failed", code: "diverged" });
    process.kill(a.instance.supervisor.pid as number, "SIGKILL");
    await until(a, (seen) => seen.state === "stopped");
    expect(await a.run(grant(2, 2, 4), follow)).toMatchObject({ status: "failed", code: "diverged" });
    expect(b.instance.snapshot(monotonicMs()).replication.map((row) => row.node)).toEqual([c.endpoint.node]);

    // What it would have come to: only the one that diverged counts, and the primary believes it.
    await b.instance.applySettings(primarySettings({ epoch: 2, version: 4, k: 1, members: [a.endpoint.node] }));
    const verify = { verb: "postgres.verify", args: { deadlineMs: 3_000 } } as const;
    expect(await b.run(grant(2, 2, 4), { ...verify, args: { deadlineMs: 500 } })).toMatchObject({
      code: "not-acknowledged",
    });
    await a.instance.applySettings(standbySettings(a.instance.service, b.endpoint, 2));
    expect(await b.run(grant(2, 2, 4), verify)).toMatchObject({ status: "done" });
    expect(a.instance.snapshot(monotonicMs()).timeline).toBe(1);

    await a.instance.applySettings(fencedSettings);
    await b.instance.applySettings(primarySettings(configurationOf(2, 4, [c])));
  });

  it("brings the deposed primary back, and keeps what only it had", async () => {
    const mode = (await exists(`${binDir}/pg_rewind`)) ? "rewind" : "clone";
    const args = { primary: b.endpoint, mode, configurations: [configurationOf(2, 4, [c])] } as const;
    const reply = dataOf(await a.run(grant(2, 3, 4), { verb: "postgres.rejoin", args }));
    expect(reply.mode).toBe(mode);
    expect(reply.divergentBytes).toBeGreaterThan(0);
    expect(await exists(String(reply.setAside))).toBe(true);
    const status = await until(a, (seen) => seen.receiver?.status === "streaming" && seen.timeline === 2);
    expect(status).toMatchObject({ role: "standby", synchronousStandbyNames: "ANY 1 (e0_nobody)" });
    await expect.poll(() => numbersOn(a), { timeout: 10_000 }).toBe(1_001);
  });

  it("switches over by a shutdown without leaving anything behind", async () => {
    dataOf(await b.run(grant(2, 4, 4), { verb: "postgres.verify", args: { deadlineMs: 5_000 } }));
    const startedAt = monotonicMs();
    const shutdown = { verb: "postgres.demote", args: { deadlineMs: 10_000, way: "shutdown" } } as const;
    const demoted = dataOf(await b.run(grant(2, 5, 4), shutdown));
    expect(demoted.stopped).toBe(true);
    const [sealA, sealC] = (
      await Promise.all([a, c].map((member) => member.run(grant(3, 0, 4), { verb: "postgres.seal", args: {} })))
    ).map(dataOf);
    expect(Number(sealC?.lsn)).toBeGreaterThanOrEqual(Number(demoted.lsn));
    expect(sealA?.timeline).toBe(2);
    const third = configurationOf(3, 5, [a, b]);
    const promoting = c.run(grant(3, 1, 5), {
      verb: "postgres.promote",
      args: { configuration: third, peers, timeline: 5 },
    });
    history.push({ timeline: 5, switchLsn: Number(sealC?.lsn) });
    const follow = (past: typeof history) =>
      ({ verb: "postgres.follow", args: { primary: c.endpoint, configurations: [third], history: past } }) as const;
    // Its control file tells where it was shut down: a new primary that lacks its last record is not followed, nor is anything started.
    const short = [...history.slice(0, -1), { timeline: 5, switchLsn: Number(demoted.lsn) - 1 }];
    expect(await b.run(grant(3, 1, 5), follow(short))).toMatchObject({ status: "failed", code: "diverged" });
    expect(b.instance.running).toBe(false);
    for (const member of [a, b]) dataOf(await member.run(grant(3, 1, 5), follow(history)));
    // Timelines 3 and 4 were reserved for intents that did not win.
    expect(dataOf(await promoting).timeline).toBe(5);
    await write(c, 6_000);
    console.log(`switchover ${Math.round(monotonicMs() - startedAt)} ms from the demote to the first acknowledgement`);
    for (const member of [a, b])
      await until(member, (seen) => seen.receiver?.status === "streaming" && seen.timeline === 5);
    await expect.poll(() => numbersOn(b), { timeout: 10_000 }).toBe(1_002);
  });

  it("restarts in place after a crash, and lets users in only when a member holds what it recovered", async () => {
    dataOf(await c.run(grant(3, 2, 5), { verb: "postgres.verify", args: { deadlineMs: 5_000 } }));
    process.kill(c.instance.supervisor.pid as number, "SIGKILL");
    expect((await until(c, (seen) => seen.state === "stopped"))?.exit).toMatchObject({
      reaped: true,
      signal: "SIGKILL",
    });
    const third = configurationOf(3, 5, [a, b]);
    const restart = { verb: "postgres.restart", args: { as: "primary", configuration: third, peers } } as const;
    dataOf(await c.run(grant(3, 3, 5), restart));
    await write(c, 7_000);
    expect(c.instance.snapshot(monotonicMs()).exit).toBeNull();
  });

  it("stops a primary that promised a higher epoch, and never starts it as one by itself", async () => {
    const sealed = dataOf(await c.run(grant(4, 0, 5), { verb: "postgres.seal", args: {} }));
    expect(sealed).toMatchObject({ promoted: true, lsn: null });
    expect(c.instance.snapshot(monotonicMs())).toMatchObject({ state: "stopped", exit: null });
    const late = await c.run(grant(3, 9, 5), { verb: "postgres.verify", args: { deadlineMs: 100 } });
    expect(late).toMatchObject({ status: "refused", code: "stale-epoch" });
    await c.instance.boot();
    expect(await until(c, (seen) => seen.state === "running")).toMatchObject({
      role: "standby",
      receiver: { status: "none" },
    });
  });

  it("keeps users out of a primary that is granted again until a member holds what it recovered", async () => {
    const fifth = configurationOf(5, 6, [a, b]);
    const rules = await c.instance.data.read("pg_hba.conf");
    const regrant = { verb: "postgres.regrant", args: { configuration: fifth, peers } } as const;
    const granting = c.run(grant(5, 0, 6), regrant);
    expect((await until(c, (seen) => seen.role === "primary"))?.exit).toBeNull();
    await expect(asUser(c)).rejects.toThrow(/pg_hba/);
    const follow = {
      verb: "postgres.follow",
      args: { primary: c.endpoint, configurations: [fifth], history },
    } as const;
    dataOf(await a.run(grant(5, 0, 6), follow));
    dataOf(await granting);
    await write(c, 8_000);
    expect(await c.instance.data.read("pg_hba.conf")).toBe(rules);
  });

  it("has acknowledged what a new set does not hold yet: the old one is forgotten only from the position that is told", async () => {
    const fifth = configurationOf(5, 6, [a, b]);
    const follow = { primary: c.endpoint, configurations: [fifth], history };
    dataOf(await b.run(grant(5, 1, 6), { verb: "postgres.follow", args: follow }));
    await until(b, (seen) => seen.receiver?.status === "streaming");
    await write(c, 8_500);
    await expect.poll(() => numbersOn(b), { timeout: 10_000 }).toBe(1_005);
    const connection = await b.instance.control();
    const [receiver] = await connection.query("SELECT pid FROM pg_stat_wal_receiver", [], 2_000);
    const pid = Number(receiver?.pid);
    process.kill(pid, "SIGSTOP");
    let flushLsn = 0;
    try {
      // The other one acknowledges it.
      await write(c, 9_000);
      const configuration = configurationOf(5, 7, [b]);
      const leaving = [a.endpoint.node];
      const configure = { verb: "postgres.configure", args: { configuration, leaving, peers } } as const;
      flushLsn = Number(dataOf(await c.run(grant(5, 2, 7), configure)).flushLsn);
      expect(Number(b.instance.snapshot(monotonicMs()).lsn)).toBeLessThan(flushLsn);
      expect(await numbersOn(b)).toBe(1_005);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(await until(b, (seen) => Number(seen.lsn) >= flushLsn)).not.toBeNull();
    await expect.poll(() => numbersOn(b), { timeout: 10_000 }).toBe(1_006);
  });

  it("hands over without a shutdown, can be granted again, and follows with nothing of its own", async () => {
    const quiesce = { verb: "postgres.demote", args: { deadlineMs: 10_000, way: "quiesce" } } as const;
    const session = await asUser(c);
    expect(dataOf(await c.run(grant(5, 3, 7), quiesce)).stopped).toBe(false);
    await expect(session.query("SELECT 1", [], 1_000)).rejects.toThrow();
    expect(c.instance.snapshot(monotonicMs()).probe).toMatchObject({ ok: false, reason: "handing-over" });
    await expect(write(c, 9_500)).rejects.toThrow(/read-only/);
    expect(await numbersOn(c)).toBe(1_006);

    const sixth = configurationOf(6, 8, [b]);
    const follow = (primary: TrialMember, configuration: SyncConfiguration) =>
      ({
        verb: "postgres.follow",
        args: { primary: primary.endpoint, configurations: [configuration], history },
      }) as const;
    const regrant = { verb: "postgres.regrant", args: { configuration: sixth, peers } } as const;
    dataOf(await c.run(grant(6, 0, 8), regrant));
    dataOf(await b.run(grant(6, 0, 8), follow(c, sixth)));
    await write(c, 9_600);
    expect(await until(c, (seen) => seen.probe.ok)).not.toBeNull();

    const demoted = dataOf(await c.run(grant(6, 1, 8), quiesce));
    const sealed = dataOf(await b.run(grant(7, 0, 8), { verb: "postgres.seal", args: {} }));
    expect(Number(sealed.lsn)).toBeGreaterThanOrEqual(Number(demoted.lsn));
    const seventh = configurationOf(7, 9, [c]);
    const promote = { verb: "postgres.promote", args: { configuration: seventh, peers, timeline: 6 } } as const;
    expect(dataOf(await b.run(grant(7, 1, 9), promote)).timeline).toBe(6);
    history.push({ timeline: 6, switchLsn: Number(sealed.lsn) });
    dataOf(await c.run(grant(7, 1, 9), follow(b, seventh)));
    await write(b, 9_700);
    await until(c, (seen) => seen.receiver?.status === "streaming" && seen.timeline === 6);
    await expect.poll(() => numbersOn(c), { timeout: 10_000 }).toBe(1_008);
  });

  it("makes a standby of nobody of a primary that was handing over when its agent ended", async () => {
    const configuration = configurationOf(7, 9, [c]);
    dataOf(await b.run(grant(7, 2, 9), { verb: "postgres.demote", args: { deadlineMs: 10_000, way: "quiesce" } }));
    expect(await b.instance.inRecovery()).toBe(false);
    await b.driver.boot();
    expect(await until(b, (seen) => seen.role === "standby")).toMatchObject({ receiver: { status: "none" } });
    dataOf(
      await b.run(grant(8, 0, 10), {
        verb: "postgres.regrant",
        args: { configuration: { ...configuration, epoch: 8, version: 10, k: 0, members: [] }, peers },
      }),
    );
    await write(b, 9_800);
  });

  it("overwrites no primary that was never granted", async () => {
    const own = await TrialMember.create(root.path, "pg-d", binDir);
    try {
      await createCluster(own.instance);
      await own.instance.startPrimary(none);
      const args = { primary: b.endpoint, mode: "clone", configurations: [] } as const;
      const refused = await own.run(grant(9, 1, 11), { verb: "postgres.rejoin", args });
      expect(refused).toMatchObject({ status: "refused", code: "foreign-system" });
      expect(await own.instance.inRecovery()).toBe(false);
    } finally {
      await own.end();
    }
  });
});
