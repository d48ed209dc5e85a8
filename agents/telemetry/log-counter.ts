import type { LogCount, LogEvent } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { Drain, drainDefaults } from "./drain.ts";
import type { AppLog } from "./span.ts";

/** Services whose logs are read; each has a tree of its own. */
const servicesLimit = limits.maxServicesPerFrame;
const textLength = 300;
const exampleLength = 500;
/** Characters of one frame's logs. */
const takenChars = 60_000;

interface Counted {
  readonly log: AppLog;
  readonly text: string;
  count: number;
  readonly events: LogEvent[];
}

/** Log lines on their way to a frame: counted by template, one example each. */
export class LogCounter {
  readonly #drains = new Map<string, Drain>();
  readonly #onDropped: (count: number) => void;
  #counts = new Map<string, Counted>();

  constructor(onDropped: (count: number) => void) {
    this.#onDropped = onDropped;
  }

  /** `isSampled`: the trace it belongs to is kept. */
  add(log: AppLog, isSampled: boolean): void {
    const text = this.#drainOf(log.service)?.learn(log.text)?.slice(0, textLength) || null;
    const key = `${log.service}\n${log.level}\n${text}`;
    const known = text === null ? undefined : this.#counts.get(key);
    if (text === null || (known === undefined && this.#counts.size >= limits.maxLogsPerFrame)) {
      this.#onDropped(1);
      return;
    }
    const counted = known ?? { log, text, count: 0, events: [] };
    this.#counts.set(key, counted);
    counted.count += 1;
    const { traceId, spanId, at } = log;
    if (isSampled && traceId !== null && spanId !== null && counted.events.length < limits.maxLogEventsPerTemplate) {
      counted.events.push({ traceId, spanId, at });
    }
  }

  take(): LogCount[] {
    let chars = 0;
    const logs = [...this.#counts.values()].map(({ log, text, count, events }): LogCount => {
      const example = log.text.slice(0, exampleLength);
      // Where lines stand in traces is the first to go when a frame gets large.
      chars += text.length * 2 + example.length + events.length * 90;
      return {
        service: log.service,
        level: log.level,
        key: text,
        text,
        count,
        example,
        traceId: log.traceId,
        events: chars > takenChars ? [] : events,
      };
    });
    this.#counts = new Map();
    return logs;
  }

  #drainOf(service: string): Drain | null {
    const known = this.#drains.get(service);
    if (known !== undefined) return known;
    if (this.#drains.size >= servicesLimit) return null;
    const made = new Drain(drainDefaults);
    this.#drains.set(service, made);
    return made;
  }
}
