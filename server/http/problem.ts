import type { Reply } from "../core/index.ts";

export type Values = Readonly<Record<string, string | number | boolean | null>>;

/** An expected failure on its way to the caller: RFC 9457 problem details. */
export class Problem extends Error {
  readonly status: number;
  /** Message key below `refusal.`. */
  readonly code: string;
  readonly data: Values;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    data: Values = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.data = data;
    this.headers = headers;
  }
}

const titles: Readonly<Record<number, string>> = {
  400: "The request can't be read",
  401: "Sign in first",
  403: "Not allowed",
  404: "Not found",
  405: "This method is not possible here",
  409: "Refused in the present state",
  413: "The request is too large",
  415: "JSON is expected",
  429: "Too many requests",
  500: "Something went wrong on the server",
  502: "The demo did not answer",
  503: "Not available now",
};

/** `reference` finds the entry in the server's log. */
export function problemResponse(problem: Problem, reference: string): Response {
  const body = {
    type: "about:blank",
    title: titles[problem.status] ?? "Error",
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    data: problem.data,
    reference,
  };
  return new Response(JSON.stringify(body), {
    status: problem.status,
    headers: { ...problem.headers, "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

export function notFound(what: string, id: string): Problem {
  return new Problem(404, `unknown-${what}`, `There is no ${what} named ${id}.`, { [what]: id });
}

const unavailable: Readonly<Record<string, string>> = {
  "store-unavailable": "The database can't be reached. Nothing was begun; try again when the banner is gone.",
  "outcome-unknown":
    "The database did not answer in time: the request may or may not have been taken. Look before you repeat it.",
  overloaded: "The control plane has too much to do. Try again in a moment.",
  stopping: "The control plane is stopping. Try again when it is back.",
  "not-leader": "Another control plane has taken over. Ask that one.",
};

/** The core's answer as data, or as the problem that says no. */
export function readReply(reply: Reply): Values {
  if (reply.ok) return reply.data;
  const { code, data } = reply;
  const sentence = unavailable[code];
  if (sentence !== undefined) throw new Problem(503, code, sentence, data, { "retry-after": "2" });
  if (code === "internal") throw new Problem(500, code, "The control plane could not judge the request.", data);
  const values = Object.entries(data).map(([name, value]) => `${name}: ${String(value)}`);
  const detail = `Refused: ${code.replaceAll("-", " ")}${values.length === 0 ? "" : ` (${values.join(", ")})`}.`;
  throw new Problem(code.startsWith("unknown-") ? 404 : 409, code, detail, data);
}
