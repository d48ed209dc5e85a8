import * as z from "zod/mini";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { languageOf, makeTrace } from "../errors/make-trace.ts";
import { describeMistakes } from "../shared/schema-errors.ts";

/** What small clients send: errors with their stack as text, and gauges. */

const maxErrors = 200;
const maxGauges = 64;
const serviceName = z.string().check(z.minLength(1), z.maxLength(limits.maxServiceNameLength));
const text = (maxLength: number) => z._default(z.string().check(z.maxLength(maxLength)), "");

const errorSchema = z.strictObject({
  service: serviceName,
  language: text(40),
  type: text(200),
  message: text(limits.maxTextLength),
  stack: text(64_000),
  traceId: z._default(z.nullable(z.string().check(z.regex(/^[0-9a-f]{32}$/, "use 32 hexadecimal digits"))), null),
  count: z._default(z.int().check(z.gte(1), z.lte(1_000_000)), 1),
});

const gaugesSchema = z.strictObject({
  service: serviceName,
  gauges: z
    .record(
      z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9_.:/-]{0,79}$/, "use a name such as poolWaiting")),
      z.number().check(z.gte(-1e15), z.lte(1e15)),
    )
    .check(z.refine((value) => Object.keys(value).length <= maxGauges, `at most ${maxGauges} gauges a request`)),
});

export type GaugeReport = z.output<typeof gaugesSchema>;
type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** One error or a list of them. */
export function readErrors(body: unknown): Read<ErrorTrace[]> {
  const list = Array.isArray(body) ? body : [body];
  if (list.length > maxErrors) return { ok: false, reason: `at most ${maxErrors} errors a request` };
  const traces: ErrorTrace[] = [];
  for (const [index, item] of list.entries()) {
    const parsed = z.safeParse(errorSchema, item);
    if (!parsed.success) return { ok: false, reason: `error ${index}: ${describeMistakes(parsed.error)}` };
    const { language, count, ...raw } = parsed.data;
    traces.push({ ...makeTrace({ ...raw, language: languageOf(language) }), count });
  }
  return { ok: true, value: traces };
}

export function readGauges(body: unknown): Read<GaugeReport> {
  const parsed = z.safeParse(gaugesSchema, body);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, reason: describeMistakes(parsed.error) };
}
