import * as z from "zod/mini";
import type { OperatorRequest } from "../../core/index.ts";
import { clusterLock } from "../../ports/locks.ts";
import type { ActionView } from "../../protocol/index.ts";
import { projectActionView } from "../../protocol/project-record.ts";
import { underLock, withLockCheck } from "../planned.ts";
import { notFound, Problem, readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { maintenance, nodeId, reason } from "../schemas.ts";
import type { HttpServices } from "../services.ts";
import { found, withOwner } from "./fleet.ts";

const kind = z.enum(["failover", "switchover", "rejoin"]);
const actionBody = z.object({
  kind,
  target: z._default(z.nullable(nodeId), null),
  /** From the plan that was shown: the action is refused when the state has changed since. */
  planHash: z.string().check(z.maxLength(128)),
  reason,
  /** The cluster's name, typed: the confirmation for something that ends every session. */
  confirm: z.string().check(z.maxLength(40)),
  /** Asynchronous clusters: the old primary's name, typed, where nothing else can tell that it is down. */
  confirmDown: z.optional(nodeId),
  /** Asynchronous clusters: the possible loss of the plan that was shown, bytes; null: unknown, and accepted as that. */
  acceptLossBytes: z.optional(z.nullable(z.int().check(z.gte(0)))),
});
const durabilityBody = z.object({
  durability: z.discriminatedUnion("mode", [
    z.object({ mode: z.literal("sync"), k: z.int().check(z.gte(1), z.lte(16)) }),
    z.object({ mode: z.literal("async"), maxLagBytes: z.int().check(z.gte(65_536), z.lte(2 ** 43)) }),
  ]),
  reason,
  /** The cluster's name, typed: asynchronous mode can lose acknowledged writes. */
  confirm: z.string().check(z.maxLength(40)),
});

export function clusterRoutes(services: HttpServices): Route[] {
  const { control } = services;
  return [
    defineRoute("POST /clusters/:id/plan", {
      summary: "What an action would do now, with every check; changes nothing",
      body: z.object({ kind, target: z._default(z.nullable(nodeId), null) }),
      async handle({ param, body }) {
        const cluster = param("id");
        const plan = found(control.plan({ kind: body.kind, cluster, target: body.target }), "cluster", cluster);
        return body.kind === "switchover" ? withLockCheck(services, clusterLock(cluster), plan) : plan;
      },
    }),
    defineRoute("POST /clusters/:id/actions", {
      summary: "Begin a failover, switchover or rejoin under the plan that was shown",
      body: actionBody,
      async handle({ param, body, principal }) {
        if (control.findCluster(param("id")) === null) throw notFound("cluster", param("id"));
        if (body.confirm !== param("id")) {
          throw new Problem(400, "confirm", "Type the cluster's name to confirm.", { cluster: param("id") });
        }
        const request = toRequest(param("id"), body);
        const ask = async () => readReply(await control.request(actorOf(principal), request));
        const planned = body.kind === "switchover";
        const reply = planned
          ? await underLock(services, principal, clusterLock(param("id")), body.kind, ask)
          : await ask();
        return Response.json(reply, { status: 202 });
      },
    }),
    defineRoute("PUT /clusters/:id/automation", {
      summary: "Let automatic failover act, or hold it",
      body: z.object({ state: z.enum(["on", "held"]), reason }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), {
            kind: "set-automation",
            cluster: param("id"),
            state: body.state,
            reason: body.reason,
          }),
        ),
    }),
    defineRoute("PUT /clusters/:id/durability", {
      summary: "What an acknowledged write is promised: on k synchronous standbys, or asynchronous within a limit",
      body: durabilityBody,
      async handle({ param, body, principal }) {
        if (body.confirm !== param("id")) {
          throw new Problem(400, "confirm", "Type the cluster's name to confirm.", { cluster: param("id") });
        }
        const { durability, reason: why } = body;
        return readReply(
          await control.request(actorOf(principal), {
            kind: "set-durability",
            cluster: param("id"),
            durability,
            reason: why,
          }),
        );
      },
    }),
    defineRoute("PUT /clusters/:id/maintenance", {
      summary: "Mute alerts or hold automation for a cluster; null ends it",
      body: z.object({ maintenance }),
      async handle({ param, body, principal }) {
        const actor = actorOf(principal);
        const value = withOwner(body.maintenance, actor.name);
        return readReply(
          await control.request(actor, { kind: "set-cluster-maintenance", cluster: param("id"), maintenance: value }),
        );
      },
    }),
    defineRoute("GET /actions/:id", {
      summary: "An action with its steps",
      handle: async ({ param }) => found(await readAction(services, param("id")), "action", param("id")),
    }),
    defineRoute("POST /actions/:id/abort", {
      summary: "Stop an action that can still go back",
      body: z.object({ reason }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), {
            kind: "abort-action",
            actionId: param("id"),
            reason: body.reason,
          }),
        ),
    }),
  ];
}

/** Memory keeps the newest; the store keeps all. */
async function readAction({ control, reads }: HttpServices, id: string): Promise<ActionView | null> {
  const current = control.findAction(id);
  if (current !== null) return current;
  const action = await reads.action(id);
  if (action === null) return null;
  return projectActionView(action, action.incidentId === null ? null : await reads.incident(action.incidentId));
}

function toRequest(cluster: string, body: z.output<typeof actionBody>): OperatorRequest {
  const { target, planHash, reason: why } = body;
  if (body.kind === "failover") {
    const { confirmDown, acceptLossBytes } = body;
    return { kind: "failover", cluster, target, planHash, reason: why, confirmDown, acceptLossBytes };
  }
  if (target === null) throw new Problem(400, "target", "Name the node.");
  if (body.kind === "switchover") return { kind: "switchover", cluster, target, planHash, reason: why };
  return { kind: "rejoin", cluster, node: target, reason: why };
}
