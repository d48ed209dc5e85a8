import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText } from "./clean-text.ts";
import { decodeAgentFrame, decodeViewerFrame } from "./decode-frame.ts";

const heartbeat = {
  t: "heartbeat",
  seq: 1,
  bootId: "b",
  monoMs: 1,
  wallMs: 1,
  eager: false,
  loopLagMs: 0,
  host: null,
  postgres: null,
  peers: [],
  checks: [{ name: "c", kind: "tcp", subject: "pg-a", ok: true, ms: 1, detail: "fine", failingForMs: 0 }],
  workloads: [],
};
const frames = [
  heartbeat,
  { t: "proof", signature: "AAAA" },
  { t: "result", commandId: "c", outcome: { status: "done", data: { ms: 1, setAside: "x" } }, nodeAt: 0 },
  { t: "progress", commandId: "c", progress: 0.5, data: { bytes: 1 } },
  { t: "records", spoolId: "s", firstSeq: 1, records: [{ kind: "signal", at: 0, code: "x", data: {} }] },
];

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Replaces one value somewhere inside by anything. */
function mutate(value: Json, path: readonly number[], by: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined || value === null || typeof value !== "object") return by;
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return by;
  const copy = structuredClone(value) as { [key: string]: Json };
  copy[key] = mutate(copy[key] as Json, rest, by);
  return copy;
}

function allTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...allTexts(item)]);
}

describe("decoding frames", () => {
  it("takes every kind of frame", () => {
    for (const frame of frames) expect(decodeAgentFrame(JSON.stringify(frame)), frame.t).toMatchObject({ ok: true });
  });

  it("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), (text) => {
        decodeAgentFrame(text);
        decodeViewerFrame(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws on a good frame with one value gone wrong, and what it takes is clean", () => {
    const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...frames), path, fc.jsonValue(), (frame, where, by) => {
        const decoded = decodeAgentFrame(JSON.stringify(mutate(frame as unknown as Json, where, by as Json)));
        if (!decoded.ok) return;
        for (const text of allTexts(decoded.frame)) expect(cleanText(text, 100_000)).toBe(text);
      }),
      { numRuns: 3_000 },
    );
  });

  it("strips what would act on a screen or a terminal, and cuts what is long", () => {
    const detail = `a\u0000\u001b[31m\u202eb\u2066\ud800${"x".repeat(5_000)}`;
    const decoded = decodeAgentFrame(JSON.stringify({ ...heartbeat, checks: [{ ...heartbeat.checks[0], detail }] }));
    const frame = decoded.ok && decoded.frame?.t === "heartbeat" ? decoded.frame : null;
    expect(frame?.checks[0]?.detail.slice(0, 8)).toBe("a[31mbxx");
    expect(frame?.checks[0]?.detail.length).toBe(2_000);
  });

  it("refuses values out of range, with the place", () => {
    for (const [over, place] of [
      [{ seq: -1 }, "seq"],
      [{ bootId: "with space" }, "bootId"],
      [{ checks: Array.from({ length: 65 }, () => heartbeat.checks[0]) }, "checks"],
      [{ peers: [{ node: "pg-b" }] }, "peers.0"],
      [{ postgres: {} }, "postgres"],
      [{ monoMs: "1" }, "monoMs"],
    ] as const) {
      const decoded = decodeAgentFrame(JSON.stringify({ ...heartbeat, ...over }));
      expect(decoded.ok ? "" : decoded.reason).toContain(place);
    }
  });

  describe("of a command's reply", () => {
    const configuration = { epoch: 1, version: 2, k: 1, members: ["pg-a", "pg-b"] };
    const decodeReply = (data: unknown) => {
      const decoded = decodeAgentFrame(
        JSON.stringify({ t: "result", commandId: "c", nodeAt: 0, outcome: { status: "done", data } }),
      );
      return decoded.ok && decoded.frame?.t === "result" ? decoded.frame.outcome : null;
    };

    it.each([
      ["seal", { timeline: 3, lsn: 5_000, configurations: [configuration], promoted: false, receiverGoneMs: 12 }],
      [
        "seal of an empty member",
        { timeline: null, lsn: null, configurations: [], promoted: false, receiverGoneMs: 0 },
      ],
      ["promote", { timeline: 4, switchLsn: 5_000, ms: 80 }],
      ["configure", { flushLsn: null, ms: 3 }],
      ["rejoin", { mode: "clone", bytes: 1e9, divergentBytes: 0, setAside: "/var/lib/aside", ms: 900 }],
      ["initialize", { timeline: 1, systemId: "7312345678901234567", ms: 2_000 }],
    ])("takes what agents answer: %s", (_verb, data) => {
      expect(decodeReply(data)).toEqual({ status: "done", data });
    });

    it.each([
      ["configurations that are null inside", { configurations: [null] }],
      ["configurations that are no list", { configurations: {} }],
      ["members that are no list", { configurations: [{ ...configuration, members: null }] }],
      ["a member that is no name", { configurations: [{ ...configuration, members: ["pg a'; --"] }] }],
      ["too many members", { configurations: [{ ...configuration, members: Array(33).fill("pg-a") }] }],
      ["too many configurations", { configurations: Array(65).fill(configuration) }],
      ["a negative quorum", { configurations: [{ ...configuration, k: -1 }] }],
      ["more than a configuration", { configurations: [{ ...configuration, extra: 1 }] }],
      ["a position beyond all numbers", { lsn: 1e300 }],
      ["a negative position", { switchLsn: -1 }],
      ["half a timeline", { timeline: 1.5 }],
      ["a position in words", { flushLsn: "0/5" }],
      ["something nested", { bytes: [1, { b: "x" }] }],
      ["too many values", Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`v${index}`, 1]))],
    ])("makes a failure of %s", (_title, data) => {
      expect(decodeReply({ timeline: 1, lsn: 1, ...data })).toMatchObject({
        status: "failed",
        code: "malformed-reply",
      });
    });
  });

  it("does not let a prototype in", () => {
    const text =
      '{"t":"result","commandId":"c","nodeAt":0,"outcome":{"status":"done","data":{"__proto__":{"polluted":1}}}}';
    decodeAgentFrame(text);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
