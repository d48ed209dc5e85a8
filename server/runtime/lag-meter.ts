import type { Clock } from "../ports/clock.ts";

const tickMs = 50;
/** A tick this late is a stall of ours: silence during it says nothing about the nodes. */
const toleranceMs = 100;

/** Watches the event loop by a short timer's delay. */
export function startLagMeter(
  clock: Clock,
  report: { stalled(fromMs: number, toMs: number): void; lag(lagMs: number): void },
): () => void {
  let lastMs = clock.monoMs();
  let smoothedMs = 0;
  let cancel = clock.setTimer(tick, tickMs);
  function tick(): void {
    const nowMs = clock.monoMs();
    const lateMs = Math.max(0, nowMs - lastMs - tickMs);
    smoothedMs = Math.max(lateMs, smoothedMs * 0.9);
    report.lag(smoothedMs);
    if (lateMs > toleranceMs) report.stalled(lastMs, nowMs);
    lastMs = nowMs;
    cancel = clock.setTimer(tick, tickMs);
  }
  return () => cancel();
}
