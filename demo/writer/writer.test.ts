import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedBinaries, ensureEmbeddedBinaries } from "../../server/store/embedded/binaries.ts";
import { machineMs } from "../clock.ts";
import { findPostgresProcesses, signalAll } from "../processes.ts";
import { Writer } from "./writer.ts";

/** Two unrelated servers stand for "the primary before" and "the primary after": the writer can't tell, and its audit must notice what is missing. */
const base = 23920;
let folder: string;
let binaries: EmbeddedBinaries;
const running: ChildProcess[] = [];

function dataDir(name: string): string {
  return join(folder, name);
}

function initialise(name: string): void {
  const { binDir, runAs } = binaries;
  mkdirSync(dataDir(name));
  if (runAs !== null) chownSync(dataDir(name), runAs.uid, runAs.gid);
  const args = ["-D", dataDir(name), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"];
  execFileSync(join(binDir, "initdb"), args, { ...runAs, cwd: folder, stdio: "ignore" });
}

async function startServer(name: string, port: number): Promise<void> {
  const settings = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
  const args = ["-D", dataDir(name), ...settings.flatMap((each) => ["-c", each])];
  const child = spawn(join(binaries.binDir, "postgres"), args, { ...binaries.runAs, cwd: folder, stdio: "ignore" });
  running.push(child);
  await until(() =>
    query(port, "SELECT 1").then(
      () => true,
      () => false,
    ),
  );
}

async function query(port: number, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await client.query(text);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function until(condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadline = machineMs() + withinMs;
  while (!(await condition())) {
    if (machineMs() > deadline) throw new Error("It did not happen in time.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  binaries = await ensureEmbeddedBinaries();
  folder = mkdtempSync(join(tmpdir(), "writer-"));
  chmodSync(folder, 0o755);
  initialise("a");
  initialise("b");
});

afterAll(() => {
  for (const child of running) child.kill("SIGQUIT");
  rmSync(folder, { recursive: true, force: true });
});

it("writes at its rate, finds the next primary when the first dies, and says what was lost", async () => {
  await startServer("a", base);
  const errors: string[] = [];
  const acknowledgedBy = new Map<string, number>();
  const writer = new Writer(
    {
      name: "app",
      cluster: "test",
      table: "order_events",
      user: "postgres",
      database: "postgres",
      nodes: [
        { node: "a", host: "127.0.0.1", port: base },
        { node: "b", host: "127.0.0.1", port: base + 1 },
      ],
      writesPerSecond: 100,
      ledgerPath: null,
    },
    {
      nowMs: machineMs,
      wallMs: Date.now,
      onAcknowledged: (_number, node) => acknowledgedBy.set(node, (acknowledgedBy.get(node) ?? 0) + 1),
      onError: (node, error) => errors.push(`${node} ${error.message}`),
    },
  );
  writer.start();
  try {
    await until(() => writer.ledger.count >= 200);
    const steady = writer.report();
    expect(steady.writingTo).toBe("a");
    expect(steady.writesPerSecond).toBeGreaterThan(60);
    expect(steady.lost).toBeNull();

    await startServer("b", base + 1);
    // The table is there already on a real standby.
    await query(base + 1, "CREATE TABLE order_events (id bigint PRIMARY KEY, node text, written_at timestamptz)");
    signalAll(findPostgresProcesses(dataDir("a")), "SIGKILL");
    await until(() => writer.report().writingTo === "b");
    await until(() => writer.report().auditedAt !== null);
    const after = writer.report();
    // Nothing of what the first server acknowledged is on the second. (An answer may still have been on its way when it was killed.)
    expect(after.lost).toBe(acknowledgedBy.get("a"));
    // "b" was up already: finding it takes no longer than noticing that "a" is gone.
    const outage = after.lastOutage ?? { fromMs: 0, toMs: 0 };
    expect(outage.toMs - outage.fromMs).toBeLessThan(600);
    expect(errors.some((error) => error.startsWith("a "))).toBe(true);
  } finally {
    writer.stop();
  }
});

it("finds every acknowledged row where none was lost", async () => {
  const options = { name: "app", cluster: "test", table: "kept", user: "postgres", database: "postgres" };
  const nodes = [{ node: "b", host: "127.0.0.1", port: base + 1 }];
  const writer = new Writer(
    { ...options, nodes, writesPerSecond: 100, ledgerPath: null },
    { nowMs: machineMs, wallMs: Date.now },
  );
  writer.start();
  await until(() => writer.ledger.count >= 50);
  writer.stop();
  const rows = await query(base + 1, "SELECT id FROM kept");
  expect(
    writer.ledger.missing(
      rows.rows.map((row: { id: string }) => Number(row.id)),
      writer.ledger.highest,
    ),
  ).toEqual([]);
});
