import { randomBytes } from "node:crypto";
import type { BrowserContextOptions } from "@playwright/test";
import type { ApiClient } from "../../demo/api-client.ts";

export type Role = "viewer" | "operator" | "admin";

/** Makes a user of a role, signs in as it, and answers with what a browser context needs to be that user. */
export async function openSession(
  api: ApiClient,
  baseUrl: string,
  role: Role,
): Promise<Exclude<BrowserContextOptions["storageState"], string | undefined>> {
  const email = `${role}@journeys.test`;
  const password = randomBytes(12).toString("base64url");
  await api.post("users", { name: `Journey ${role}`, email, password, role });
  const response = await fetch(`${baseUrl}/api/v1/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: baseUrl },
    body: JSON.stringify({ email, password }),
  });
  if (!response.ok) throw new Error(`Signing in as ${email} failed: ${response.status} ${await response.text()}`);
  const cookies = response.headers.getSetCookie().map((header) => {
    const [pair = ""] = header.split(";");
    const at = pair.indexOf("=");
    return {
      name: pair.slice(0, at),
      value: pair.slice(at + 1),
      domain: new URL(baseUrl).hostname,
      path: "/",
      expires: -1,
      httpOnly: true,
      secure: false,
      sameSite: "Lax" as const,
    };
  });
  return { cookies, origins: [] };
}
