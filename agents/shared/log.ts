export type LogLevel = "info" | "warn" | "error";

/** One line of JSON a message on stderr: time, level, what happened, and values. */
export type Log = (level: LogLevel, message: string, data?: Readonly<Record<string, unknown>>) => void;

export function createLog(node: string, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  return (level, message, data) => {
    write(`${JSON.stringify({ at: new Date().toISOString(), level, node, message, ...data })}\n`);
  };
}
