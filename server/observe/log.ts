import { pino } from "pino";

export type Level = "info" | "warn" | "error";
export type Log = (level: Level, message: string, detail?: Readonly<Record<string, unknown>>) => void;

/** Structured lines on standard error; standard output belongs to what a person asked for. */
export function createLog(level: string): Log {
  const logger = pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  return (at, message, detail) => logger[at](detail ?? {}, message);
}
