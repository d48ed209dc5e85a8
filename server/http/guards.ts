import { type Caller, hasRole, identifyCaller } from "../auth/access.ts";
import { isSameSecret } from "../auth/sign-in.ts";
import type { RequiredRole } from "./permissions.ts";
import { Problem } from "./problem.ts";
import type { HttpServices } from "./services.ts";

export const csrfHeader = "x-csrf-token";

const nobody: Caller = { principal: null, csrfToken: null };

/** Finds the caller and checks the role and the origin. Fails closed: what can't be checked is refused. */
export async function guard(services: HttpServices, request: Request, required: RequiredRole): Promise<Caller> {
  const changes = request.method !== "GET" && request.method !== "HEAD";
  if (changes) checkOrigin(services, request.headers);
  const caller = await findCaller(services, request.headers, required);
  if (changes && caller.csrfToken !== null) checkCsrf(request.headers, caller.csrfToken);
  if (required === "public") return caller;
  if (caller.principal === null) throw new Problem(401, "signed-out", "Sign in first, or send a valid token.");
  if (required === "application" && caller.principal.application !== undefined) return caller;
  if (!hasRole(caller.principal, required === "application" ? "operator" : required)) {
    const { role } = caller.principal;
    throw new Problem(403, "role", `This needs the role ${required}; yours is ${role ?? "none"}.`, {
      needs: required,
      role,
    });
  }
  return caller;
}

async function findCaller(services: HttpServices, headers: Headers, required: RequiredRole): Promise<Caller> {
  const signIn = services.signIn();
  if (signIn !== null)
    return identifyCaller(headers, signIn, services.identity, services.clock, services.localTokenHash());
  if (required === "public") return nobody;
  throw new Problem(
    503,
    "store-unavailable",
    "The database was not reached yet, so nobody can be recognised.",
    {},
    {
      "retry-after": "2",
    },
  );
}

/** Browsers name their origin with every change. Without one it is no browser; then there is no cookie worth abusing either. */
function checkOrigin(services: HttpServices, headers: Headers): void {
  const origin = headers.get("origin");
  if (origin === null) {
    if (headers.get("cookie") === null) return;
    throw new Problem(403, "origin", "A change with a session cookie must name its origin.");
  }
  if (!services.isAllowedOrigin(origin)) {
    throw new Problem(403, "origin", `Requests from ${origin.slice(0, 100)} are not accepted; see publicOrigins.`);
  }
}

function checkCsrf(headers: Headers, expected: string): void {
  if (!isSameSecret(headers.get(csrfHeader) ?? "", expected)) {
    throw new Problem(
      403,
      "csrf",
      `The header ${csrfHeader} is missing or belongs to another session. Reload the page.`,
    );
  }
}
