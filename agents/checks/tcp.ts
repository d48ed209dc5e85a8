import { Socket } from "node:net";
import type { CheckConfig } from "../config/schema.ts";
import type { Finding } from "./runner.ts";

/** Whether something accepts connections. That says nothing about whether it answers. */
export function checkTcp(check: Extract<CheckConfig, { kind: "tcp" }>): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const finish = (ok: boolean, detail: string) => {
      socket.destroy();
      resolve({ ok, detail });
    };
    socket.setTimeout(check.timeoutMs, () => finish(false, `no answer within ${check.timeoutMs} ms`));
    socket.once("connect", () => finish(true, "connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(false, error.code ?? error.message));
    socket.connect(check.port, check.host);
  });
}
