import type { UserRole } from "../ports/identity.ts";

/**
 * `public`: nobody has to be signed in. `application`: a token of that role, or an operator. Otherwise the least role: viewer < operator <
 * admin.
 */
export type RequiredRole = "public" | "application" | UserRole;

/** The one table of who may do what. A route that is not named here does not exist; one without a handler fails the start. */
export const permissions = {
  "GET /session": "public",
  "POST /setup": "public",
  "POST /sign-in": "public",
  "POST /sign-in/once": "public",
  "POST /sign-out": "public",

  "GET /state": "viewer",
  "GET /system": "viewer",
  "GET /nodes": "viewer",
  "GET /nodes/:id": "viewer",
  "GET /nodes/:id/series": "viewer",
  "PUT /nodes/:id/maintenance": "operator",
  "POST /nodes/:id/revoke": "admin",

  "GET /clusters": "viewer",
  "GET /clusters/:id": "viewer",
  "GET /clusters/:id/series": "viewer",
  "POST /clusters/:id/plan": "viewer",
  "POST /clusters/:id/actions": "operator",
  "PUT /clusters/:id/automation": "operator",
  "PUT /clusters/:id/durability": "admin",
  "PUT /clusters/:id/maintenance": "operator",
  "GET /redis": "viewer",
  "GET /redis/:id": "viewer",
  "POST /redis/:id/plan": "viewer",
  "POST /redis/:id/migrations": "operator",
  "GET /redis/:id/migrations": "viewer",
  "POST /redis/:id/migrations/stop": "operator",
  "POST /redis/:id/failover/plan": "viewer",
  "POST /redis/:id/failover": "operator",
  "PUT /redis/:id/automation": "operator",
  "GET /actions/:id": "viewer",
  "POST /actions/:id/abort": "operator",

  "GET /incidents": "viewer",
  "GET /incidents/:id": "viewer",
  "GET /incidents/:id/report": "viewer",
  "POST /incidents/:id/acknowledge": "operator",
  "POST /incidents/:id/resolve": "operator",
  "POST /incidents/:id/close": "operator",
  "POST /incidents/:id/reopen": "operator",
  "POST /incidents/:id/notes": "operator",

  "POST /incidents/:id/recover": "operator",
  "GET /cause-policy": "viewer",
  "PUT /cause-policy/:id": "admin",
  "GET /traces": "viewer",
  "GET /traces/:id": "viewer",
  "POST /traces/:id/merge": "operator",
  "POST /traces/:id/split": "operator",

  "PUT /dependencies": "operator",

  "GET /policies": "viewer",
  "PUT /policies/:id": "operator",
  "POST /policies/:id/replay": "viewer",

  "GET /services": "viewer",
  "GET /services/:id": "viewer",
  "GET /services/:id/series": "viewer",
  "GET /topology": "viewer",
  "GET /spans/:id": "viewer",

  "GET /in-doubt": "viewer",
  "POST /in-doubt/resolve": "operator",
  "GET /locks": "viewer",
  "POST /locks/acquire": "application",
  "POST /locks/renew": "application",
  "POST /locks/release": "application",
  "POST /locks/withdraw": "application",
  "POST /locks/evict": "operator",
  "GET /rings": "viewer",
  "POST /rings": "operator",
  "GET /rings/:id": "viewer",
  "DELETE /rings/:id": "operator",
  "PUT /rings/:id/counts": "operator",
  "GET /rings/:id/locate": "viewer",
  "POST /rings/:id/plan": "viewer",
  "POST /rings/:id/apply": "operator",

  "GET /audit": "viewer",
  "GET /audit/verify": "viewer",
  "GET /audit/export": "admin",

  "GET /enrolment-tokens": "admin",
  "POST /enrolment-tokens": "admin",
  "GET /users": "admin",
  "POST /users": "admin",
  "DELETE /users/:id": "admin",
  "PUT /users/:id/role": "admin",
  "POST /users/:id/password": "admin",
  "POST /sign-in-links": "admin",
  "GET /tokens": "admin",
  "POST /tokens": "admin",
  "DELETE /tokens/:id": "admin",

  "GET /releases": "viewer",
  "POST /releases/:id/plan": "viewer",
  "POST /releases/:id/rollout": "operator",
  "POST /releases/:id/dry-run": "operator",
  "POST /releases/:id/rollback": "operator",
  "POST /releases/:id/restart": "operator",
  "GET /changes": "viewer",
  "GET /changes/:id": "viewer",
  "POST /changes/:id/stop": "operator",
  "POST /changes/:id/set-aside": "operator",

  "GET /demo": "viewer",
  "POST /demo/faults": "operator",
} as const satisfies Readonly<Record<string, RequiredRole>>;

export type RouteKey = keyof typeof permissions;
