/** An answer that says no: RFC 9457 problem details, or the words for an answer that never came. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string | null;
  /** Key below `refusal.` in the messages, when the server gave one. */
  readonly code: string | null;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
  /** Finds the entry in the server's log. */
  readonly reference: string | null;
}

export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.length > 0 ? value.slice(0, 1_000) : null;
}

/** Reads a problem out of any body; a server or proxy that answers otherwise still becomes a readable problem. */
export function readProblem(status: number, body: unknown): Problem {
  const record = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const data: Record<string, string | number | boolean | null> = {};
  const given = typeof record.data === "object" && record.data !== null ? (record.data as Record<string, unknown>) : {};
  for (const [name, value] of Object.entries(given).slice(0, 32)) {
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      data[name] = value;
    }
  }
  return {
    status,
    title: text(record.title) ?? "",
    detail: text(record.detail),
    code: text(record.code),
    data,
    reference: text(record.reference) ?? text(record.instance),
  };
}

/** No answer at all: network gone, server stopped, or the request took too long. */
export function networkProblem(timedOut: boolean): Problem {
  return { status: 0, title: "", detail: null, code: timedOut ? "timeout" : "network", data: {}, reference: null };
}
