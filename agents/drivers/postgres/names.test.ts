import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quoteConnInfo, quoteValue, replaceSettings } from "./conf-text.ts";
import { parseHistory, segmentSuffix } from "./data-directory.ts";
import { applicationName, parseApplicationName, slotName, standbyNames, unsatisfiableNames } from "./names.ts";
import { findOffences } from "./sender-police.ts";
import type { SenderStatus, ServerStatus } from "./status-query.ts";

describe("names", () => {
  it("carry the epoch there and back", () => {
    const node = fc.stringMatching(/^[a-z0-9-]{1,40}$/);
    fc.assert(
      fc.property(fc.nat(), node, (epoch, name) => {
        expect(parseApplicationName(applicationName(epoch, name))).toEqual({ epoch, node: name });
        expect(slotName(name)).toMatch(/^[a-z0-9_]{1,63}$/);
      }),
    );
    expect(parseApplicationName("walreceiver")).toBeNull();
  });

  it("are never empty unless the configuration is asynchronous", () => {
    const base = { epoch: 3, version: 1 };
    expect(standbyNames({ ...base, k: 0, members: ["pg-b"] })).toBe("");
    expect(standbyNames({ ...base, k: 1, members: [] })).toBe(unsatisfiableNames);
    expect(standbyNames({ ...base, k: 2, members: ["pg-b", "pg-c"] })).toBe('ANY 2 ("e3_pg-b","e3_pg-c")');
  });
});

describe("postgresql.auto.conf", () => {
  it("loses only what is replaced", () => {
    const text = "# Do not edit\nwork_mem = '8MB'\nport = 5432\nPORT = 1\nprimary_conninfo = 'old'\n";
    expect(replaceSettings(text, { port: "5433", primary_conninfo: null })).toBe(
      "# Do not edit\nwork_mem = '8MB'\nport = '5433'\n",
    );
  });

  it("quotes whatever it is given", () => {
    expect(quoteValue("it's a \\ test")).toBe("'it''s a \\\\ test'");
    expect(quoteConnInfo("p'w\\d")).toBe("'p\\'w\\\\d'");
  });
});

describe("files of the data directory", () => {
  it("reads where a timeline began", () => {
    const text = "1\t0/3000148\tno recovery target specified\n\n2\t0/5A000F8\tno recovery target specified\n";
    expect(parseHistory(text)).toEqual({ parent: 2, lsn: 0x5a000f8 });
    expect(parseHistory("")).toBeNull();
    expect(parseHistory("garbage")).toBeNull();
  });

  it("names segments as PostgreSQL does", () => {
    const sixteen = 16 * 1024 * 1024;
    expect(segmentSuffix(0, sixteen)).toBe("0000000000000000");
    expect(segmentSuffix(255, sixteen)).toBe("00000000000000FF");
    expect(segmentSuffix(256, sixteen)).toBe("0000000100000000");
  });
});

describe("walsenders that must go", () => {
  const sender = (applicationNameOf: string, pid: number, startedAt: number): SenderStatus => ({
    applicationName: applicationNameOf,
    pid,
    startedAt,
    node: null,
    state: "streaming",
    syncState: "quorum",
    sentLsn: null,
    writeLsn: null,
    flushLsn: null,
    replayLsn: null,
    replayLagMs: null,
  });
  const primary = (replication: readonly SenderStatus[]): ServerStatus => ({
    recovery: false,
    flushLsn: 1,
    receiveLsn: null,
    replayLsn: null,
    insertTimeline: 1,
    paused: false,
    replayAgeMs: null,
    names: "",
    receiver: null,
    replication,
  });
  const fence = {
    promise: { epoch: 3, intentId: "i", step: 0, configVersion: 1 },
    configurations: [],
    promoteIssuedEpoch: null,
    standing: { kind: "none" },
  } as const;

  it("are the older of two with one name, and those of another epoch", () => {
    const rows = [
      sender("e3_pg-b", 11, 1),
      sender("e3_pg-b", 12, 2),
      sender("e2_pg-c", 13, 1),
      sender("pg_basebackup", 14, 1),
    ];
    const offences = findOffences(primary(rows), fence).map((offence) => [offence.sender.pid, offence.kind]);
    expect(offences).toEqual([
      [11, "duplicate"],
      [13, "other-epoch"],
    ]);
  });

  it("are none on a standby, and none without a promise", () => {
    const rows = [sender("e2_pg-c", 13, 1)];
    expect(findOffences({ ...primary(rows), recovery: true }, fence)).toEqual([]);
    expect(findOffences(primary(rows), { ...fence, promise: null })).toEqual([]);
  });
});
