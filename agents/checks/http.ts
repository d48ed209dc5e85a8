import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { CheckConfig } from "../config/schema.ts";
import type { Finding } from "./runner.ts";

const maxBodyBytes = 64 * 1024;

/** Status, and what the body contains. Redirects are not followed: the check names what it means. */
export function checkHttp(check: Extract<CheckConfig, { kind: "http" }>): Promise<Finding> {
  const start = check.url.startsWith("https:") ? requestTls : requestPlain;
  return new Promise((resolve) => {
    const request = start(check.url, { timeout: check.timeoutMs, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (body.length < maxBodyBytes) body += chunk;
      });
      response.on("end", () => resolve(judge(check, response.statusCode ?? 0, body)));
      response.on("error", (error) => resolve({ ok: false, detail: error.message }));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${check.timeoutMs} ms`)));
    request.on("error", (error: NodeJS.ErrnoException) => resolve({ ok: false, detail: error.code ?? error.message }));
    request.end();
  });
}

function judge(check: Extract<CheckConfig, { kind: "http" }>, status: number, body: string): Finding {
  if (status !== check.status) return { ok: false, detail: `status ${status}, expected ${check.status}` };
  if (check.contains !== undefined && !body.includes(check.contains)) {
    return { ok: false, detail: `status ${status}, but the body lacks "${check.contains}"` };
  }
  return { ok: true, detail: `status ${status}` };
}
