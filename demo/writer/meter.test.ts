import { expect, it } from "vitest";
import { WriteMeter } from "./meter.ts";

it("measures rate, latency and the last gap without an acknowledged write", () => {
  const meter = new WriteMeter();
  for (let ms = 0; ms < 1_000; ms += 10) meter.acknowledge(ms, 5_000 + ms, 2);
  expect(meter.read(1_000).writesPerSecond).toBe(50);
  expect(meter.read(1_000).unavailableForMs).toBe(0);
  expect(meter.read(1_500).unavailableForMs).toBe(510);
  expect(meter.acknowledge(1_690, 6_690, 12)).toEqual({ fromMs: 5_990, toMs: 6_690 });
  const read = meter.read(1_690);
  expect(read.lastOutage).toEqual({ fromMs: 5_990, toMs: 6_690 });
  expect(read.latencyP95Ms).toBe(2);
  expect(read.unavailableForMs).toBe(0);
});
