import { describe, expect, it } from "vitest";
import { cleanText } from "./hostile-text.ts";
import { formatClock, formatInstant, formatRelative } from "./time.ts";
import { formatBytes, formatDuration, formatNumber, formatPercent } from "./units.ts";

describe("formatDuration", () => {
  it.each([
    [0, "0 ms"],
    [0.4, "0.4 ms"],
    [12, "12 ms"],
    [580, "0.58 s"],
    [1_240, "1.2 s"],
    [41_000, "41 s"],
    [252_000, "4 min 12 s"],
    [1_320_000, "22 min"],
    [11_100_000, "3 h 5 min"],
    [187_200_000, "2 d 4 h"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatDuration(ms, "en")).toBe(text);
  });
  it("says a dash for what is not known", () => {
    expect(formatDuration(null, "en")).toBe("–");
    expect(formatDuration(Number.NaN, "en")).toBe("–");
  });
  it("speaks Chinese", () => {
    expect(formatDuration(252_000, "zh-CN")).toBe("4 分钟 12 秒");
  });
});

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [340, "340 B"],
    [310_000, "310 kB"],
    [7_900_000_000, "7.9 GB"],
    [999_600, "1.0 MB"],
  ])("%d is %s", (bytes, text) => {
    expect(formatBytes(bytes, "en")).toBe(text);
  });
});

describe("times", () => {
  const at = Date.UTC(2026, 10, 23, 14, 2, 17, 204);
  it("are exact in UTC", () => {
    expect(formatInstant(at, "utc")).toBe("2026-11-23 14:02:17.204 UTC");
  });
  it("are a clock today and a day before that", () => {
    expect(formatClock(at, "utc", at + 1_000)).toBe("14:02:17");
    expect(formatClock(at, "utc", at + 86_400_000)).toBe("Nov 23");
  });
  it("are told as ages", () => {
    expect(formatRelative(at, at + 41_300, "en")).toBe("41 s ago");
    expect(formatRelative(at, at + 5_300, "en")).toBe("5 s ago");
    expect(formatRelative(at, at - 60_000, "en")).toBe("in 1 min");
    expect(formatRelative(at, at + 41_300, "zh-CN")).toBe("41 秒前");
    expect(formatRelative(at, at + 400, "en")).toBe("now");
  });
});

describe("numbers", () => {
  it("group their digits and know percent", () => {
    expect(formatNumber(10_004, "en")).toBe("10,004");
    expect(formatPercent(0.625, "en")).toBe("63 %");
  });
});

describe("cleanText", () => {
  it("takes out control and bidi characters and caps the length", () => {
    expect(cleanText("a\u202eb\u0007c\u2066d")).toBe("abcd");
    expect(cleanText("one\r\ntwo\tthree")).toBe("one two three");
    expect(cleanText("x".repeat(500), 10)).toBe(`${"x".repeat(9)}…`);
  });
  it("never cuts a character in two", () => {
    expect(cleanText("😀😀😀😀", 3)).toBe("😀😀…");
  });
});
