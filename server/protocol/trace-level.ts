/**
 * How rarely a trace is kept: half of all traces have level 1 or more, a quarter 2 or more, and so on. It depends on the trace's id alone
 * (the end of it, which W3C Trace Context wants to be random), so that agents which never spoke to each other keep the same traces, and the
 * traces of a stricter agent are among those of a laxer one.
 */
export function traceLevel(traceId: string): number {
  const tail = Number.parseInt(traceId.slice(-8), 16);
  return Number.isNaN(tail) ? 0 : Math.clz32(tail);
}
