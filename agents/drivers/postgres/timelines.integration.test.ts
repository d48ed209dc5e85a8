import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandOutcome, Grant, SyncConfiguration } from "../../../server/core/index.ts";
import { runProgram } from "./processes.ts";
import { SqlConnection } from "./sql.ts";
import { findBinDir, makeTrialRoot, TrialMember } from "./testing/trial-cluster.ts";

/** A whole PostgreSQL, with the `pg_rewind` that the embedded one lacks. */
const binDir = await findBinDir("pg_rewind");

function grant(epoch: number, step: number): Grant {
  return { epoch, intentId: `intent-${epoch}`, step, configVersion: 1 };
}

function dataOf(outcome: CommandOutcome): Readonly<Record<string, unknown>> {
  if (outcome.status !== "done") throw new Error(`${outcome.status} ${outcome.code}: ${outcome.detail}`);
  return outcome.data;
}

async function onDatabase<T>(member: TrialMember, work: (connection: SqlConnection) => Promise<T>): Promise<T> {
  const connection = await SqlConnection.connect(
    { ...member.instance.target("trial"), database: "app" },
    { deadlineMs: 5_000 },
  );
  // A sealed member's names wait for nobody who exists; what is written here is about positions only.
  await connection.query("SET synchronous_commit = local", [], 5_000);
  return work(connection).finally(() => connection.destroy());
}

async function write(member: TrialMember, author: string): Promise<void> {
  await onDatabase(member, (connection) => connection.query("INSERT INTO rows VALUES ($1)", [author], 5_000));
}

async function authorsOn(member: TrialMember): Promise<readonly unknown[]> {
  const rows = await onDatabase(member, (connection) =>
    connection.query("SELECT author FROM rows ORDER BY author", [], 5_000),
  );
  return rows.map(({ author }) => author);
}

async function timelineOf(member: TrialMember): Promise<number> {
  const [row] = await onDatabase(member, (connection) =>
    connection.query("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline", [], 5_000),
  );
  return Number.parseInt(String(row?.timeline), 16);
}

/** What `pg_rewind` would do to bring `target` in line with `source`. */
async function askRewind(target: TrialMember, source: TrialMember): Promise<string> {
  const { service } = target.instance;
  const { host, port } = source.endpoint;
  const from = `host=${host} port=${port} user=${service.user} password=${service.password} dbname=postgres`;
  const args = ["--dry-run", "--target-pgdata", service.dataDir, "--source-server", from];
  const { output } = await runProgram(join(service.binDir, "pg_rewind"), args, {
    runAs: service.runAs,
    deadlineMs: 30_000,
  });
  return output;
}

// After a promotion of unknown outcome the number that it took must not be taken again: `pg_rewind` compares timelines by their numbers.
describe.skipIf(binDir === null)("timeline numbers on a real PostgreSQL", { timeout: 120_000 }, () => {
  const configuration: SyncConfiguration = { epoch: 1, version: 1, k: 0, members: [] };
  let root: Awaited<ReturnType<typeof makeTrialRoot>>;
  /** The first primary, then three standbys: promoted and unheard of, by hand, and under a number of its own. */
  let members: readonly [TrialMember, TrialMember, TrialMember, TrialMember];

  beforeAll(async () => {
    root = await makeTrialRoot();
    const create = (node: string) => TrialMember.create(root.path, node, String(binDir));
    members = [await create("pg-a"), await create("pg-b"), await create("pg-c"), await create("pg-d")];
    const [first, ...standbys] = members;
    const peers = members.map((member) => member.endpoint);
    dataOf(await first.run(grant(1, 0), { verb: "postgres.initialize", args: { configuration, peers } }));
    await onDatabase(first, (connection) => connection.query("CREATE TABLE rows (author text)", [], 5_000));
    for (const member of standbys) {
      const args = { primary: first.endpoint, mode: "clone", configurations: [configuration] } as const;
      dataOf(await member.run(grant(1, 1), { verb: "postgres.rejoin", args }));
    }
    for (const member of standbys) dataOf(await member.run(grant(2, 0), { verb: "postgres.seal", args: {} }));
  }, 120_000);

  afterAll(async () => {
    for (const member of members ?? []) await member.end();
    await root?.remove();
  }, 60_000);

  it("takes the same number twice by itself, and then pg_rewind sees nothing to do: foreign rows would stay", async () => {
    const [, unheard, byHand] = members;
    const peers = members.map((member) => member.endpoint);
    const promote = { verb: "postgres.promote", args: { configuration, peers, timeline: 2 } } as const;
    expect(dataOf(await unheard.run(grant(2, 1), promote)).timeline).toBe(2);
    await write(unheard, "unheard");
    await onDatabase(byHand, (connection) => connection.query("SELECT pg_promote(true, 30)", [], 30_000));
    expect(await timelineOf(byHand)).toBe(2);
    await write(byHand, "by hand");
    await unheard.instance.stop(10_000);
    expect(await askRewind(unheard, byHand)).toMatch(/no rewind required/);
  });

  it("takes the number that was reserved for its intent, and the rows of the other history are taken away", async () => {
    const [, unheard, , reserved] = members;
    const peers = members.map((member) => member.endpoint);
    const promote = { verb: "postgres.promote", args: { configuration, peers, timeline: 3 } } as const;
    expect(dataOf(await reserved.run(grant(3, 1), promote)).timeline).toBe(3);
    await write(reserved, "reserved");
    expect(await askRewind(unheard, reserved)).not.toMatch(/no rewind required/);
    const args = { primary: reserved.endpoint, mode: "rewind", configurations: [configuration] } as const;
    const reply = dataOf(await unheard.run(grant(3, 2), { verb: "postgres.rejoin", args }));
    expect(Number(reply.divergentBytes)).toBeGreaterThan(0);
    await expect.poll(() => authorsOn(unheard), { timeout: 15_000 }).toEqual(["reserved"]);
  });
});
