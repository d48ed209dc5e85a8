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
  { t: "result", commandId: "c", outcome: { status: "done", data: { a: [1, { b: "x" }] } }, nodeAt: 0 },
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
    const frame = decoded.ok && decoded.frame.t === "heartbeat" ? decoded.frame : null;
    expect(frame?.checks[0]?.detail.slice(0, 8)).toBe("a[31mbxx");
    expect(frame?.checks[0]?.detail.length).toBe(2_000);
  });

  it("refuses values out of range, with the place", () => {
    for (const [over, place] of [
      [{ seq: -1 }, "seq"],
      [{ bootId: "with space" }, "bootId"],
      [{ checks: Array.from({ length: 65 }, () => heartbeat.checks[0]) }, "checks"],
      [{ monoMs: "1" }, "monoMs"],
    ] as const) {
      const decoded = decodeAgentFrame(JSON.stringify({ ...heartbeat, ...over }));
      expect(decoded.ok ? "" : decoded.reason).toContain(place);
    }
  });

  it("does not let a prototype in", () => {
    const text =
      '{"t":"result","commandId":"c","nodeAt":0,"outcome":{"status":"done","data":{"__proto__":{"polluted":1}}}}';
    decodeAgentFrame(text);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
