import type { Clock } from "../ports/clock.ts";
import type { SampleStore } from "../ports/samples.ts";
import type { TraceStore } from "../ports/traces.ts";

/** The first round waits until a start has settled. */
const firstMs = 60_000;
const everyMs = 600_000;
/** Two weeks of samples: what the anomaly rules compare with, and what a replay looks back on. */
const samplesKeptMs = 15 * 86_400_000;

export interface HousekeepingParts {
  readonly clock: Clock;
  readonly samples: Pick<SampleStore, "dropSamplesBefore">;
  readonly traces: Pick<TraceStore, "prune">;
  canPersist(): boolean;
  log(message: string, detail: Readonly<Record<string, unknown>>): void;
}

/** Drops what is too old to be shown, now and then. Answers with its end. */
export function startHousekeeping(parts: HousekeepingParts): () => void {
  const { clock } = parts;
  let cancel = clock.setTimer(tick, firstMs);
  let running = false;
  function tick(): void {
    cancel = clock.setTimer(tick, everyMs);
    if (running || !parts.canPersist()) return;
    running = true;
    void sweep().finally(() => {
      running = false;
    });
  }
  async function sweep(): Promise<void> {
    try {
      const nowMs = clock.wallMs();
      await parts.samples.dropSamplesBefore(nowMs - samplesKeptMs);
      await parts.traces.prune(nowMs);
    } catch (error) {
      parts.log("Old samples and counts of traces could not be dropped; the next round tries again.", {
        error: String(error),
      });
    }
  }
  return () => cancel();
}
