import { buildProfile, defaultRules, type Event, type MetricId, type SeasonalProfile } from "../core/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { SampleStore } from "../ports/samples.ts";

const firstMs = 30_000;
const everyMs = 6 * 3_600_000;
/** Between two nodes: reading history must not crowd out what is live. */
const pauseMs = 100;
const historyMs = 14 * 86_400_000;
const stepMs = 600_000;

export interface ProfileParts {
  readonly clock: Clock;
  readonly samples: Pick<SampleStore, "readSeries">;
  listNodes(): Iterable<string>;
  canRead(): boolean;
  post(event: Event): unknown;
  log(message: string, detail: Readonly<Record<string, unknown>>): void;
}

const metrics: readonly MetricId[] = [
  ...new Set(defaultRules.filter((rule) => rule.kind === "anomaly").map((rule) => rule.metric)),
];

/** Learns from the stored samples what is usual for each node at each hour of the day, now and then. Answers with its end. */
export function startLearningProfiles(parts: ProfileParts): () => void {
  const { clock } = parts;
  let cancel = clock.setTimer(begin, firstMs);
  let stopped = false;
  function begin(): void {
    const waiting = [...parts.listNodes()];
    void next(waiting);
  }
  async function next(waiting: string[]): Promise<void> {
    const node = waiting.pop();
    if (stopped) return;
    if (node === undefined) {
      cancel = clock.setTimer(begin, everyMs);
      return;
    }
    if (parts.canRead()) await learn(node).catch((error: unknown) => tell(node, error));
    if (!stopped) cancel = clock.setTimer(() => void next(waiting), pauseMs);
  }
  async function learn(node: string): Promise<void> {
    const toMs = clock.wallMs();
    const { t, series } = await parts.samples.readSeries(`node:${node}`, metrics, toMs - historyMs, toMs, stepMs);
    const profiles: Partial<Record<MetricId, SeasonalProfile>> = {};
    for (const metric of metrics) {
      const points = t.flatMap((at, index) => {
        const value = series[metric]?.[index] ?? null;
        return value === null ? [] : [{ at, value }];
      });
      const profile = buildProfile(points);
      if (profile.some((usual) => usual !== null)) profiles[metric] = profile;
    }
    if (Object.keys(profiles).length > 0) parts.post({ kind: "profiles-learned", subject: `node:${node}`, profiles });
  }
  function tell(node: string, error: unknown): void {
    parts.log("What is usual for a node could not be read; the rules go by what was seen since the start.", {
      node,
      error: String(error),
    });
  }
  return () => {
    stopped = true;
    cancel();
  };
}
