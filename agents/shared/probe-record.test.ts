import { describe, expect, it } from "vitest";
import { ProbeRecord } from "./probe-record.ts";

describe("the record of a probe", () => {
  it("counts a failure from the beginning of the first probe that failed", () => {
    const record = new ProbeRecord();
    record.succeed(3);
    record.fail("timeout", 1_000);
    record.fail("accepted-silent", 1_500);
    expect(record.read(2_200)).toEqual({ ok: false, ms: 3, failingForMs: 1_200, reason: "accepted-silent" });
    record.succeed(2);
    expect(record.failingForMs(2_500)).toBe(0);
  });

  it("counts silence from the last answer, also from one that was a refusal", () => {
    const record = new ProbeRecord();
    record.fail("error", 1_000);
    record.fail("error", 8_500);
    expect(record.failingForMs(9_000)).toBe(8_000);
    record.fail("timeout", 9_000);
    expect(record.failingForMs(9_400)).toBe(400);
    record.fail("closed", 9_500);
    record.fail("refused", 9_600);
    expect(record.failingForMs(10_000)).toBe(500);
  });
});
