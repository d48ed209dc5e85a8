import type { ErrorTrace } from "../../server/protocol/agent-frames.ts";

interface Counted {
  readonly trace: Omit<ErrorTrace, "count">;
  count: number;
}

/** Kinds of error waiting to be reported; more are counted under none. */
const maxKinds = 50;

/** Collects the application's errors, one entry for each kind, until they are taken for a report. */
export class TraceCollector {
  #kinds = new Map<string, Counted>();

  constructor(private readonly service: string) {}

  add(node: string, error: Error): void {
    const type = errorType(error);
    const key = `${node} ${type} ${error.message}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#kinds.size < maxKinds) this.#kinds.set(key, { trace: this.#describe(node, type, error), count: 1 });
  }

  take(): readonly ErrorTrace[] {
    const taken = [...this.#kinds.values()].map(({ trace, count }) => ({ ...trace, count }));
    this.#kinds = new Map();
    return taken;
  }

  #describe(node: string, type: string, error: Error): Omit<ErrorTrace, "count"> {
    return {
      service: this.service,
      // An SQLSTATE has five characters and comes from the server; everything else was raised here.
      language: /^[0-9A-Z]{5}$/.test(type) ? "postgres" : "javascript",
      type,
      message: `${node}: ${error.message}`,
      frames: parseFrames(error.stack ?? ""),
      traceId: null,
    };
  }
}

function errorType(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? error.name;
}

/** Frames of a V8 stack: `at name (file:line:column)` or `at file:line:column`. */
export function parseFrames(stack: string): ErrorTrace["frames"] {
  return stack.split("\n").flatMap((line) => {
    const match = /^\s*at (?:(.+?) \()?(.+?):(\d+):\d+\)?$/.exec(line);
    if (match === null) return [];
    const file = (match[2] as string).replace(/^file:\/\//, "").replace(/^.*\/(node_modules|demo|dist)\//, "$1/");
    return [{ function: match[1] ?? "(anonymous)", file, line: Number(match[3]) }];
  });
}
