import type { LogCount, LogEvent, LogTemplateView } from "../../protocol/index.ts";
import { traceLevel } from "../../protocol/trace-level.ts";
import { secondsKept } from "./second-series.ts";

const templatesKept = 2_000;
/** Places in traces, of one template: the newest, and those of traces that are kept for long. */
const eventsKept = 300;
const calmEventsKept = 100;
const calmLevel = 3;

export interface TemplateCounts {
  readonly service: string;
  readonly view: Omit<LogTemplateView, "count" | "firstSeenAt" | "lastSeenAt">;
  readonly firstSeenAt: number;
  lastSecond: number;
  /** Second → how often. */
  readonly counts: Map<number, number>;
  readonly recent: LogEvent[];
  readonly calm: LogEvent[];
}

/**
 * Whether all of its places in the kept traces are known. Of a line that comes with every request only the newest are, so that the share of
 * requests that have it can't be told, nor compared between two periods.
 */
export function knowsAllPlaces({ recent, calm }: TemplateCounts): boolean {
  return recent.length < eventsKept && calm.length < calmEventsKept;
}

/** How often each log template came, by the second, with one example. Over the limit, the one not seen for longest makes room. */
export class LogCounts {
  readonly #templates = new Map<string, TemplateCounts>();

  /** `shiftMs`: what is to be added to the node's clock. */
  take(log: LogCount, second: number, shiftMs: number): void {
    const id = `${log.service}\n${log.level}\n${log.key}`;
    const known = this.#templates.get(id) ?? {
      service: log.service,
      view: { level: log.level, key: log.key, text: log.text, example: log.example, traceId: log.traceId },
      firstSeenAt: second * 1_000,
      lastSecond: second,
      counts: new Map<number, number>(),
      recent: [],
      calm: [],
    };
    known.lastSecond = Math.max(known.lastSecond, second);
    known.counts.set(second, (known.counts.get(second) ?? 0) + log.count);
    for (const event of log.events) {
      const moved = { ...event, at: event.at + shiftMs };
      keep(known.recent, moved, eventsKept);
      if (traceLevel(event.traceId) >= calmLevel) keep(known.calm, moved, calmEventsKept);
    }
    for (const old of known.counts.keys()) {
      if (old > second - secondsKept) break;
      known.counts.delete(old);
    }
    this.#templates.delete(id);
    this.#templates.set(id, known);
    if (this.#templates.size > templatesKept) {
      const [oldest] = this.#templates.keys();
      this.#templates.delete(oldest as string);
    }
  }

  *all(): Generator<TemplateCounts> {
    yield* this.#templates.values();
  }

  /** Most frequent first. */
  list(service: string, fromMs: number, toMs: number): LogTemplateView[] {
    const views: LogTemplateView[] = [];
    for (const template of this.#templates.values()) {
      if (template.service !== service) continue;
      const count = countBetween(template, fromMs / 1_000, toMs / 1_000);
      if (count === 0) continue;
      const { view, firstSeenAt, lastSecond } = template;
      views.push({ ...view, count, firstSeenAt, lastSeenAt: lastSecond * 1_000 });
    }
    return views.sort((a, b) => b.count - a.count);
  }
}

function keep(events: LogEvent[], event: LogEvent, limit: number): void {
  events.push(event);
  if (events.length > 2 * limit) events.splice(0, events.length - limit);
}

function countBetween({ counts }: TemplateCounts, from: number, to: number): number {
  let total = 0;
  for (const [second, count] of counts) if (second >= from && second < to) total += count;
  return total;
}
