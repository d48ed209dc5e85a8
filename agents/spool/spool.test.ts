import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AgentFrame, RecordsFrame, SpoolRecord } from "../../server/protocol/index.ts";
import { takeNewRecords } from "../../server/store/shared/spool-window.ts";
import { SpoolSender } from "./sender.ts";
import { Spool } from "./spool.ts";

const wide = { maxBytes: 64 * 1024 * 1024, maxRecords: 100_000 };
let stateDir: string;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "holdfast-spool-"));
});

afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  await rm(stateDir, { recursive: true, force: true });
});

const opened: Spool[] = [];

async function openSpool(limits = wide): Promise<Spool> {
  const spool = await Spool.open(stateDir, limits);
  opened.push(spool);
  return spool;
}

function signal(code: string): SpoolRecord {
  return { kind: "signal", at: 1, code, data: {} };
}

function trace(message: string): SpoolRecord {
  return {
    kind: "trace",
    at: 1,
    trace: { service: "app", language: "javascript", type: "Error", message, frames: [], traceId: null, count: 1 },
  };
}

function codes(frame: RecordsFrame | null): readonly string[] {
  return (frame?.records ?? []).map((record) => (record.kind === "signal" ? record.code : record.trace.message));
}

async function lastFile(): Promise<string> {
  const names = (await readdir(join(stateDir, "spool"))).filter((name) => name.endsWith(".log")).sort();
  return join(stateDir, "spool", names.at(-1) as string);
}

describe("the spool", () => {
  it("holds records in order across restarts until they are acknowledged", async () => {
    const first = await openSpool();
    await Promise.all([first.append(signal("a")), first.append(signal("b"))]);
    await first.close();
    const second = await openSpool();
    expect(second.id).toBe(first.id);
    await second.append(signal("c"));
    const frame = await second.read(0);
    expect([frame?.firstSeq, ...codes(frame)]).toEqual([1, "a", "b"]);
    await second.acknowledge(2);
    const rest = await second.read(0);
    expect([rest?.firstSeq, ...codes(rest)]).toEqual([3, "c"]);
    await second.acknowledge(3);
    await second.close();
    const third = await openSpool();
    expect(await third.read(0)).toBeNull();
    await third.append(signal("d"));
    expect((await third.read(0))?.firstSeq).toBe(4);
  });

  it("cuts off a torn last record and goes on", async () => {
    const spool = await openSpool();
    await spool.append(signal("whole"));
    await spool.append(signal("torn"));
    await spool.close();
    const path = await lastFile();
    await truncate(path, (await readFile(path)).length - 7);
    const again = await openSpool();
    expect(codes(await again.read(0))).toEqual(["whole"]);
    await again.append(signal("next"));
    expect(codes(await again.read(1))).toEqual(["next"]);
  });

  it("does not take a damaged record for a whole one", async () => {
    const spool = await openSpool();
    await spool.append(signal("good"));
    await spool.close();
    await appendFile(
      await lastFile(),
      'deadbeef {"seq":2,"record":{"kind":"signal","at":1,"code":"evil","data":{}}}\n',
    );
    const again = await openSpool();
    expect(codes(await again.read(0))).toEqual(["good"]);
  });

  it("drops the oldest traces first when it is full, and says how many", async () => {
    const spool = await openSpool({ maxBytes: 1_200_000, maxRecords: 100_000 });
    await spool.append(signal("kept"));
    for (let index = 0; index < 1_200; index += 1) await spool.append(trace(`${index} ${"x".repeat(1_500)}`));
    const seen: string[] = [];
    let after = 0;
    for (let frame = await spool.read(after); frame !== null; frame = await spool.read(after)) {
      seen.push(...codes(frame));
      after = frame.firstSeq + frame.records.length - 1;
    }
    expect(seen[0]).toBe("kept");
    expect(seen.filter((code) => code === "spool-dropped").length).toBeGreaterThan(0);
    const traces = seen.filter((code) => / x/.test(code)).map((code) => Number.parseInt(code, 10));
    expect(traces.at(-1)).toBe(1_199);
    expect(traces.length).toBeLessThan(1_200);
    expect(traces[0]).toBe(1_200 - traces.length);
  });

  it("never gives a number again that the control plane has applied", async () => {
    const spool = await openSpool();
    await spool.append(signal("a"));
    await spool.acknowledge(40);
    await spool.append(signal("b"));
    expect((await spool.read(0))?.firstSeq).toBe(41);
  });

  it("gets a new identity when its id is lost", async () => {
    const first = await openSpool();
    await first.close();
    await writeFile(join(stateDir, "spool", "id"), "");
    expect((await openSpool()).id).not.toBe(first.id);
  });
});

describe("the sender", () => {
  it("has one frame under way, replays it after a reconnect, and skips what was applied meanwhile", async () => {
    const spool = await openSpool();
    const sent: RecordsFrame[] = [];
    const sender = new SpoolSender(spool, (frame: AgentFrame) => {
      if (frame.t === "records") sent.push(frame);
      return true;
    });
    await spool.append(signal("a"));
    await expect.poll(() => sent.length).toBe(1);
    await spool.append(signal("b"));
    await sender.advance();
    expect(sent.length).toBe(1);
    await sender.begin(0);
    expect(sent.at(-1)?.firstSeq).toBe(1);
    await sender.begin(1);
    expect([sent.at(-1)?.firstSeq, ...codes(sent.at(-1) ?? null)]).toEqual([2, "b"]);
    await sender.acknowledged("another-spool", 2);
    expect(spool.acked).toBe(1);
    await sender.acknowledged(spool.id, 2);
    expect(await spool.read(0)).toBeNull();
  });

  it("goes on behind the hole that a full disk left, to the last record", async () => {
    const spool = await openSpool({ maxBytes: 1_200_000, maxRecords: 100_000 });
    let applied = 0;
    const taken: string[] = [];
    const sender: SpoolSender = new SpoolSender(spool, (frame: AgentFrame) => {
      if (frame.t !== "records") return false;
      const fresh = takeNewRecords(applied, frame.firstSeq, frame.skipped ?? 0, frame.records);
      if (fresh.length > 0) applied = frame.firstSeq + frame.records.length - 1;
      taken.push(...codes({ ...frame, records: fresh }));
      setImmediate(() => void sender.acknowledged(spool.id, applied));
      return true;
    });
    // Away while it fills up: nothing is acknowledged before the session begins.
    await spool.append(signal("kept"));
    for (let index = 0; index < 1_200; index += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, at) => spool.append(trace(`${index + at} ${"x".repeat(1_500)}`))),
      );
    }
    await sender.begin(applied);
    await expect.poll(() => taken.at(-1)?.startsWith("1199 "), { timeout: 20_000 }).toBe(true);
    expect(new Set(taken).size).toBe(taken.length);
    await expect.poll(() => spool.read(spool.acked)).toBeNull();
  });
});
