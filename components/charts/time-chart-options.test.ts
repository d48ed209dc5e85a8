import { expect, it } from "vitest";
import { chartData } from "./time-chart-options.ts";

const lines = [{ name: "cpu", color: "--color-accent" }];
const each = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index * 1_000);

it("breaks a line where nobody measured, and leaves a steady one alone", () => {
  const steady = each(0, 20);
  expect(chartData({ t: steady, series: { cpu: steady.map(() => 1) } }, lines)[0]).toHaveLength(20);
  const t = [...each(0, 20), ...each(60_000, 20)];
  const [seconds, cpu] = chartData({ t, series: { cpu: t.map(() => 1) } }, lines);
  expect(seconds.slice(19, 22)).toEqual([19, 19.001, 60]);
  expect(cpu?.slice(19, 22)).toEqual([1, null, 1]);
  expect(seconds).toHaveLength(41);
});

it("draws nothing of a line that the source does not know", () => {
  expect(chartData({ t: [0, 1_000], series: {} }, lines)).toEqual([
    [0, 1],
    [null, null],
  ]);
});
