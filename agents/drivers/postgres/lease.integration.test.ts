import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandOutcome, Endpoint, Grant, PostgresStatus, SyncConfiguration } from "../../../server/core/index.ts";
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

function until(member: TrialMember, holds: (status: PostgresStatus) => boolean): Promise<PostgresStatus | null> {
  return poll(
    () => {
      const status = member.instance.snapshot(monotonicMs());
      return holds(status) ? status : null;
    },
    { intervalMs: 20, deadlineMs: 20_000 },
  );
}

async function write(member: TrialMember): Promise<void> {
  const { host, port } = member.endpoint;
  const target = { host, port, user: "app", password: "app", database: "app", applicationName: "writer" };
  const writer = await SqlConnection.connect(target, { deadlineMs: 2_000 });
  await writer.query("CREATE TABLE IF NOT EXISTS numbers (n int)", [], 5_000);
  await writer.query("INSERT INTO numbers VALUES (1)", [], 5_000).finally(() => writer.destroy());
}

/** An asynchronous primary and its one standby, on a real PostgreSQL, without a control plane. */
describe.runIf(binDir !== null)("the lease of an asynchronous primary", { timeout: 120_000 }, () => {
  let root: Awaited<ReturnType<typeof makeTrialRoot>>;
  let a: TrialMember;
  let b: TrialMember;
  let peers: readonly Endpoint[];
  const none: SyncConfiguration = { epoch: 1, version: 1, k: 0, members: [] };
  const lease = { durationMs: 6_000, maxLagBytes: 64 * 1024 * 1024 };
  const leased: SyncConfiguration = { epoch: 1, version: 2, k: 0, members: ["pg-b"], lease };
  const restart = () => ({ verb: "postgres.restart", args: { as: "primary", configuration: leased, peers } }) as const;

  beforeAll(async () => {
    root = await makeTrialRoot();
    a = await TrialMember.create(root.path, "pg-a", binDir as string);
    b = await TrialMember.create(root.path, "pg-b", binDir as string);
    peers = [a.endpoint, b.endpoint];
    dataOf(await a.run(grant(1, 0, 1), { verb: "postgres.initialize", args: { configuration: none, peers } }));
    const rejoin = { primary: a.endpoint, mode: "clone", configurations: [none] } as const;
    dataOf(await b.run(grant(1, 1, 1), { verb: "postgres.rejoin", args: rejoin }));
    for (const member of [a, b]) member.instance.lease.start();
  }, 120_000);

  afterAll(async () => {
    for (const member of [a, b]) await member?.end();
    await root?.remove();
  }, 60_000);

  it("is granted by the standby's agent, over the primary's own server, and writes wait for nobody", async () => {
    dataOf(await b.run(grant(1, 2, 2), { verb: "postgres.learn", args: { configurations: [leased] } }));
    const configure = { verb: "postgres.configure", args: { configuration: leased, leaving: [], peers } } as const;
    dataOf(await a.run(grant(1, 3, 2), configure));
    const status = await until(a, (seen) => seen.synchronousStandbyNames === "" && (seen.lease?.leftMs ?? 0) > 2_000);
    expect(status).toMatchObject({ role: "primary", lease: { epoch: 1 } });
    await write(a);
  });

  it("is renewed for as long as the standby holds no higher promise", async () => {
    await new Promise((resolve) => setTimeout(resolve, 2 * lease.durationMs));
    expect(a.instance.snapshot(monotonicMs())).toMatchObject({ state: "running", role: "primary" });
  });

  it("runs out when the standby was sealed: the server is stopped within it, and comes up fenced", async () => {
    const sealedAtMs = monotonicMs();
    dataOf(await b.run(grant(2, 0, 2), { verb: "postgres.seal", args: {} }));
    const stopped = await until(a, (seen) => seen.role !== "primary");
    expect(stopped).not.toBeNull();
    expect(monotonicMs() - sealedAtMs).toBeLessThan(lease.durationMs);
    expect(a.signals).toContain("lease-over");
    await expect(write(a)).rejects.toThrow();
    expect(await until(a, (seen) => seen.role === "standby")).toMatchObject({
      state: "running",
      receiver: { status: "none" },
    });
  });

  it("is waited for before the server begins as a primary again, and is the control plane's to grant", async () => {
    expect(await a.run(grant(1, 4, 2), restart())).toMatchObject({ status: "failed", code: "no-lease" });
    const control = setInterval(() => {
      const asked = a.instance.snapshot(monotonicMs()).lease;
      if (asked !== undefined) a.instance.lease.renewedByControl(asked);
    }, 100);
    try {
      dataOf(await a.run(grant(1, 5, 2), restart()));
      await write(a);
    } finally {
      clearInterval(control);
    }
  });
});
