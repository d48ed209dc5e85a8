import { appendFile, chmod, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileTail } from "./file-tail.ts";
import { JournalTail, readJournalLine } from "./journal-tail.ts";
import { LineJoiner } from "./line-joiner.ts";
import { LineSplitter } from "./line-splitter.ts";
import { LogReader } from "./log-reader.ts";
import { type LogFormat, readRecord } from "./read-record.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-logs-"));
  path = join(folder, "app.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function joinText(text: string): string[] {
  const joiner = new LineJoiner();
  const records = text.split("\n").map((line) => joiner.add(line));
  return [...records, joiner.flush()].filter((record) => record !== null);
}

const python = `2026-11-27 10:00:00 ERROR worker: job failed
Traceback (most recent call last):
  File "/srv/app/job.py", line 7, in run
    step()
ValueError: bad row

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/main.py", line 3, in main
    run()
RuntimeError: job 7 failed
2026-11-27 10:00:01 INFO worker: next`;

const go = `panic: boom

goroutine 1 [running]:
main.work(0x1)
	/srv/app/src/work.go:5 +0x1
main.main()
	/srv/app/src/main.go:9 +0x2
exit status 2
starting again`;

const java = `10:00:00 ERROR [main] Orders - failed
java.lang.IllegalStateException: no stock
	at com.shop.Stock.take(Stock.java:7)
	... 3 more
Caused by: java.io.IOException: gone
	at com.shop.Net.read(Net.java:1)
10:00:01 INFO [main] Orders - ok`;

const postgres = `2026-11-27 10:00:00.123 UTC [77] 23505 ERROR:  duplicate key value violates unique constraint "orders_pkey"
2026-11-27 10:00:00.123 UTC [77] 23505 DETAIL:  Key (id)=(7) already exists.
2026-11-27 10:00:00.123 UTC [77] 23505 STATEMENT:  INSERT INTO orders
	VALUES (7)
2026-11-27 10:00:01.000 UTC [77] 00000 LOG:  checkpoint complete`;

describe("lines", () => {
  it.each([
    ["Python", python, 2],
    ["Go", go, 2],
    ["Java", java, 3],
    ["PostgreSQL", postgres, 2],
    ["plain", "one\ntwo\n  indented\nthree", 3],
  ])("of %s are joined into records", (_title, text, count) => {
    expect(joinText(text)).toHaveLength(count);
  });

  it("stay within limits when everything is indented", () => {
    const [record] = joinText(`start\n${"  more\n".repeat(5_000)}`);
    expect(record?.length).toBeLessThanOrEqual(16_000);
    expect(record?.split("\n").length).toBeLessThanOrEqual(200);
  });

  it("come out of any cutting of the bytes as they went in", () => {
    const lines = fc.array(
      fc.string({ unit: "binary", maxLength: 20 }).map((line) => line.replace(/[\r\n\ud800-\udfff\ufffd]/g, "")),
    );
    fc.assert(
      fc.property(lines, fc.array(fc.integer({ min: 1, max: 9 })), (wanted, cuts) => {
        const bytes = Buffer.from(wanted.map((line) => `${line}\n`).join(""));
        const splitter = new LineSplitter(1_000);
        const got: string[] = [];
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const size = cuts[i % Math.max(1, cuts.length)] ?? 7;
          got.push(...splitter.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(got).toEqual(wanted);
      }),
      { seed: 1 },
    );
  });

  it("that never end are cut, and the next one is whole", () => {
    const splitter = new LineSplitter(10);
    expect(splitter.push(Buffer.from(`${"x".repeat(25)}`))).toEqual(["x".repeat(10)]);
    expect(splitter.push(Buffer.from(`${"y".repeat(5_000)}\nnext\n`))).toEqual(["next"]);
  });
});

describe("a record", () => {
  const read = (text: string, format: LogFormat = "auto") => readRecord("shop", format, text, 5);

  it.each([
    ["Python", joinText(python)[0], { language: "python", type: "RuntimeError", message: "job 7 failed" }],
    ["Go", joinText(go)[0], { language: "go", type: "panic", message: "boom" }],
    ["Java", joinText(java)[1], { language: "java", type: "java.io.IOException", message: "gone" }],
    ["PostgreSQL", joinText(postgres)[0], { language: "postgres", type: "23505" }],
    [
      "pino",
      JSON.stringify({
        level: 50,
        msg: "request failed",
        trace_id: "a".repeat(32),
        err: { type: "TypeError", message: "no card", stack: "TypeError: no card\n    at pay (/srv/src/pay.js:3:1)" },
      }),
      { language: "javascript", type: "TypeError", message: "no card", traceId: "a".repeat(32) },
    ],
  ])("of %s with an error is an error", (_title, record, expected) => {
    expect(read(record ?? "")).toMatchObject({ kind: "error", trace: { service: "shop", count: 1, ...expected } });
  });

  it.each([
    ["2026-11-27 10:00:00 WARN slow query", "warn", "2026-11-27 10:00:00 WARN slow query"],
    ["level=error msg=x", "error", "level=error msg=x"],
    ['{"level":30,"msg":"started"}', "info", "started"],
    ["2026-11-27 10:00:00 UTC [7] LOG:  checkpoint complete", "info", "checkpoint complete"],
    ["the end of an ERROR: it was harmless", "error", "the end of an ERROR: it was harmless"],
    ["nothing said", "unknown", "nothing said"],
  ])("%s is a line of its level", (record, level, text) => {
    expect(read(record)).toMatchObject({ kind: "line", log: { level, text, at: 5 } });
  });

  it("of binary rubbish is none", () => {
    expect(read("\u0000\u0001\u0002abc\ufffd\ufffd")).toBeNull();
    expect(read("")).toBeNull();
  });

  it("always has a text, and a level that we know", () => {
    for (const record of ['{"level":30,"msg":" "}', "2026-01-01 00:00:00 UTC [7] LOG:  "]) {
      expect(read(record)).toMatchObject({ kind: "line", log: { text: record.trim() } });
    }
    const odd = read('{"level":"constructor","msg":"hello"}');
    expect(typeof (odd?.kind === "line" && odd.log.level)).toBe("string");
  });

  it("of any text is read without harm", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 400 }),
        fc.constantFrom<LogFormat>("auto", "json", "postgres", "go"),
        (text, format) => {
          read(text, format);
          joinText(text);
        },
      ),
      { seed: 1, numRuns: 1_000 },
    );
  });
});

describe("a file that is followed", () => {
  function follow() {
    const lines: string[] = [];
    const troubles: string[] = [];
    let skipped = 0;
    const tail = new FileTail({
      path,
      onLines: (more) => lines.push(...more),
      onSkipped: (bytes) => {
        skipped += bytes;
      },
      onTrouble: (reason) => troubles.push(reason),
    });
    return { tail, lines, troubles, skipped: () => skipped };
  }

  it("is read from its end, through rotation and truncation, without losing a line", async () => {
    await writeFile(path, "old\n");
    const { tail, lines } = follow();
    await tail.read();
    await appendFile(path, "a\nb");
    await tail.read();
    await appendFile(path, "c\n");
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, "last\n");
    await writeFile(path, "new\n");
    await tail.read();
    await truncate(path, 0);
    await appendFile(path, "x\n");
    await tail.read();
    expect(lines).toEqual(["a", "bc", "last", "new", "x"]);
    await tail.stop();
  });

  it("may appear later, and may be no file at all", async () => {
    const { tail, lines, troubles } = follow();
    await tail.read();
    await writeFile(path, "first\n");
    await tail.read();
    expect(lines).toEqual(["first"]);
    await tail.stop();
    const other = follow();
    await rm(path);
    const { mkdir } = await import("node:fs/promises");
    await mkdir(path);
    await other.tail.read();
    await other.tail.read();
    expect(other.troubles).toHaveLength(1);
    expect(troubles).toEqual([]);
  });

  it("that grows too fast is left behind, and that is told", async () => {
    await writeFile(path, "");
    const { tail, lines, skipped } = follow();
    await tail.read();
    await writeFile(path, Buffer.alloc(20 * 1024 * 1024, "0123456789\n"));
    await tail.read();
    expect(skipped()).toBeGreaterThan(10 * 1024 * 1024);
    expect(lines.length).toBeLessThan(100_000);
    await tail.stop();
  });

  it("gives errors and lines to whoever wants them", async () => {
    const errors: string[] = [];
    const logs: string[] = [];
    const reader = new LogReader(
      { name: "shop", dependsOn: [], addresses: [], logs: [{ file: path, format: "auto" }], journal: false },
      {
        takeLog: (log) => logs.push(log.text),
        takeError: (trace) => errors.push(trace.type),
        onDropped: () => {},
        onTrouble: () => {},
      },
    );
    await writeFile(path, "");
    reader.start();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await appendFile(path, `${python}\n`);
    await expect
      .poll(() => [errors, logs], { timeout: 5_000 })
      .toEqual([["RuntimeError"], ["2026-11-27 10:00:01 INFO worker: next"]]);
    await reader.stop();
  });
});

describe("the journal", () => {
  it("is read line by line, with its levels, from a program that may end", async () => {
    const program = join(folder, "journalctl");
    const objects = [
      { MESSAGE: "started", PRIORITY: "6" },
      { MESSAGE: [98, 111, 111, 109], PRIORITY: "3" },
    ];
    await writeFile(
      program,
      `#!/bin/sh\n[ "$7" = "shop.service" ] && printf '%s\\n' '${objects.map((each) => JSON.stringify(each)).join("' '")}' 'rubbish'\n`,
    );
    await chmod(program, 0o755);
    const lines: unknown[] = [];
    const troubles: string[] = [];
    const tail = new JournalTail({
      unit: "shop.service",
      program,
      onLine: (line) => lines.push(line),
      onTrouble: (reason) => troubles.push(reason),
    });
    tail.start();
    await expect.poll(() => lines.length).toBeGreaterThanOrEqual(2);
    await expect.poll(() => troubles[0]).toMatch(/ended with code/);
    tail.stop();
    expect(lines.slice(0, 2)).toEqual([
      { text: "started", level: "info" },
      { text: "boom", level: "error" },
    ]);
    expect(readJournalLine("[]")).toBeNull();
  });
});
