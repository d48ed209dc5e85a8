import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandOutcome, Grant, InDoubtTransaction, Verb } from "../../../server/core/index.ts";
import { ensureEmbeddedBinaries } from "../../../server/store/embedded/binaries.ts";
import { monotonicMs } from "../../shared/time.ts";
import { SqlConnection } from "./sql.ts";
import { SqlParticipant } from "./sql-participant.ts";
import { findBinDir, makeTrialRoot, TrialMember } from "./testing/trial-cluster.ts";

const grant = (step: number): Grant => ({ epoch: 1, intentId: "intent-1", step, configVersion: 1 });
const resolve = (gid: string, decision: "commit" | "rollback"): Verb => ({
  verb: "postgres.resolve",
  args: { gid, database: "app", decision },
});

describe("prepared transactions of a primary", { timeout: 120_000 }, () => {
  let root: Awaited<ReturnType<typeof makeTrialRoot>>;
  let member: TrialMember;
  let step = 0;
  const run = (verb: Verb): Promise<CommandOutcome> => member.run(grant(++step), verb);
  const inDoubt = (): readonly InDoubtTransaction[] => member.instance.snapshot(monotonicMs()).inDoubt ?? [];
  const connect = () => {
    const { host, port } = member.endpoint;
    const target = { host, port, user: "app", password: "app", database: "app", applicationName: "shop" };
    return SqlConnection.connect(target, { deadlineMs: 5_000 });
  };
  const inSession = async (...statements: string[]): Promise<void> => {
    const session = await connect();
    for (const statement of statements) await session.query(statement, [], 5_000);
    session.destroy();
  };

  beforeAll(async () => {
    const binDir = (await findBinDir()) ?? (await ensureEmbeddedBinaries()).binDir;
    root = await makeTrialRoot();
    member = await TrialMember.create(root.path, "pg-a", binDir);
    const configuration = { epoch: 1, version: 1, k: 0, members: [] };
    const made = await run({ verb: "postgres.initialize", args: { configuration, peers: [member.endpoint] } });
    expect(made.status).toBe("done");
    await inSession("CREATE TABLE stock (item int PRIMARY KEY, n int)", "INSERT INTO stock VALUES (1, 10)");
  }, 120_000);
  afterAll(async () => {
    await member?.end();
    await root?.remove();
  }, 60_000);

  it("are seen with what they hold and who waits, and committed by name", async () => {
    await inSession("BEGIN", "UPDATE stock SET n = 9 WHERE item = 1", "PREPARE TRANSACTION 'shop''s order 7'");
    await expect.poll(() => inDoubt().map(({ gid }) => gid), { timeout: 10_000 }).toEqual(["shop's order 7"]);
    const blocked = await connect();
    const waiting = blocked.query("UPDATE stock SET n = n - 1 WHERE item = 1", [], 60_000);
    waiting.catch(() => undefined);
    await expect.poll(() => inDoubt()[0]?.waiting, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => inDoubt()[0]?.relations, { timeout: 10_000 }).toEqual(["stock"]);
    expect(inDoubt()[0]).toMatchObject({ database: "app", owner: "app" });
    expect(inDoubt()[0]?.longestWaitMs).not.toBeNull();

    expect(await run(resolve("shop's order 7", "commit"))).toMatchObject({ status: "done" });
    await waiting;
    const [row] = await blocked.query("SELECT n FROM stock WHERE item = 1", [], 5_000);
    expect(row?.n).toBe(8);
    blocked.destroy();
    await expect.poll(() => inDoubt(), { timeout: 10_000 }).toEqual([]);
    expect(await run(resolve("shop's order 7", "commit"))).toMatchObject({ status: "refused", code: "in-doubt-gone" });
  });

  it("are rolled back by name", async () => {
    await inSession("BEGIN", "UPDATE stock SET n = 0 WHERE item = 1", "PREPARE TRANSACTION 'order 8'");
    await expect.poll(() => inDoubt().length, { timeout: 10_000 }).toBe(1);
    expect(await run(resolve("order 8", "rollback"))).toMatchObject({ status: "done" });
    const session = await connect();
    const [row] = await session.query("SELECT n FROM stock WHERE item = 1", [], 5_000);
    expect(row?.n).toBe(8);
    session.destroy();
  });

  it("are not made of statements that end the transaction: what they leave could not be taken back", async () => {
    const sql = new SqlParticipant(member.instance);
    const ask = (...statements: string[]) => {
      const args = {
        change: "CHG-1",
        gid: "hf_CHG-1",
        database: "app",
        message: "prepare",
        ballot: 1,
        statements,
      } as const;
      return sql.run(grant(++step), { verb: "change.sql", args });
    };
    for (const last of ["COMMIT", "-- done\n commit work", "SELECT 1; COMMIT; SELECT 2"]) {
      const outcome = await ask("CREATE TABLE early (n int)", last);
      expect(outcome).toMatchObject({ status: "done", data: { answer: "no" } });
      expect(String(outcome.status === "done" && outcome.data.detail)).toContain(
        "leave out BEGIN, COMMIT and ROLLBACK",
      );
      await inSession("DROP TABLE IF EXISTS early").catch(() => undefined);
    }
    expect(await ask("SAVEPOINT a", "ROLLBACK TO a")).toMatchObject({ data: { answer: "yes" } });
    expect(await run(resolve("hf_CHG-1", "rollback"))).toMatchObject({ status: "done" });
  });

  it("can't be in a database that does not exist: an abort there has nothing to take back", async () => {
    const sql = new SqlParticipant(member.instance);
    const ask = (message: "prepare" | "abort") => {
      const args = {
        change: "CHG-2",
        gid: "hf_CHG-2",
        database: "nowhere",
        message,
        ballot: 1,
        statements: ["SELECT 1"],
      };
      return sql.run(grant(++step), { verb: "change.sql", args });
    };
    expect(await ask("prepare")).toMatchObject({ status: "failed", code: "database-unreachable" });
    expect(await ask("abort")).toMatchObject({ status: "done", data: { answer: "done" } });
  });

  it("are not touched under an older grant", async () => {
    await inSession("BEGIN", "UPDATE stock SET n = 1 WHERE item = 1", "PREPARE TRANSACTION 'order 9'");
    const stale = await member.run({ ...grant(1), epoch: 0 }, resolve("order 9", "commit"));
    expect(stale).toMatchObject({ status: "refused", code: "stale-epoch" });
    await expect.poll(() => inDoubt().length, { timeout: 10_000 }).toBe(1);
    expect((await run(resolve("order 9", "rollback"))).status).toBe("done");
  });
});
