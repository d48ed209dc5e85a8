import * as z from "zod/mini";
import type { OperatorRequest } from "../../core/index.ts";
import { redisLock } from "../../ports/locks.ts";
import { underLock, withLockCheck } from "../planned.ts";
import { Problem, readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route, type RouteInput } from "../route.ts";
import { limit, nodeId, reason } from "../schemas.ts";
import type { HttpServices } from "../services.ts";
import { found } from "./fleet.ts";

const migration = z.enum(["rebalance", "drain", "reverse", "close"]);
const weights = z._default(z.record(nodeId, z.number().check(z.gte(0), z.lte(1_000))), {});
const planBody = z.object({ migration, shard: z._default(z.nullable(nodeId), null), weights });
const failoverBody = z.object({
  target: z._default(z.nullable(nodeId), null),
  mode: z._default(z.enum(["graceful", "force", "takeover"]), "graceful"),
});
/** The cluster's name, typed: the confirmation for what moves data or ends sessions. */
const confirm = z.string().check(z.maxLength(40));

/** Redis: replica sets and clusters, moving slots, failover by hand. */
export function redisRoutes(services: HttpServices): Route[] {
  const { control, reads } = services;
  const known = (id: string) => found(control.findRedis(id), "cluster", id);
  const ask = async ({ principal }: Pick<RouteInput<unknown, unknown>, "principal">, request: OperatorRequest) =>
    Response.json(readReply(await control.request(actorOf(principal), request)), { status: 202 });
  const confirmed = (id: string, typed: string): void => {
    if (typed !== id) throw new Problem(400, "confirm", "Type the cluster's name to confirm.", { cluster: id });
  };
  return [
    defineRoute("GET /redis", {
      summary: "Redis replica sets and clusters with their servers, slots and what they can promise",
      handle: () => Response.json(control.listRedis()),
    }),
    defineRoute("GET /redis/:id", {
      summary: "One Redis cluster",
      handle: ({ param }) => known(param("id")),
    }),
    defineRoute("POST /redis/:id/plan", {
      summary: "What moving slots would do now, with every check; changes nothing",
      body: planBody,
      handle: ({ param, body }) => {
        const { migration: kind, shard, weights: wanted } = body;
        const plan = found(control.planRedis(param("id"), { kind, shard, weights: wanted }), "cluster", param("id"));
        return withLockCheck(services, redisLock(param("id")), plan);
      },
    }),
    defineRoute("POST /redis/:id/migrations", {
      summary: "Begin to move slots under the plan that was shown",
      body: z.object({
        ...planBody.shape,
        planHash: z.string().check(z.maxLength(128)),
        maxSlotsPerSecond: z._default(z.nullable(z.int().check(z.gte(1), z.lte(16_384))), null),
        keep: z._default(z.nullable(z.enum(["source", "target"])), null),
        reason,
        confirm,
      }),
      handle: ({ param, body, principal }) => {
        known(param("id"));
        confirmed(param("id"), body.confirm);
        const { migration: kind, shard, weights: wanted, maxSlotsPerSecond, keep, planHash, reason: why } = body;
        const cluster = param("id");
        const limits = { maxSlotsPerSecond, keep };
        const moves = { cluster, migration: kind, shard, weights: wanted, ...limits, planHash, reason: why };
        return underLock(services, principal, redisLock(cluster), kind, () =>
          ask({ principal }, { kind: "redis-migrate", ...moves }),
        );
      },
    }),
    defineRoute("GET /redis/:id/migrations", {
      summary: "Moves of slots, the newest first",
      query: z.object({ limit }),
      handle: async ({ param, query }) => {
        known(param("id"));
        const page = await reads.documents({ kind: "redis-migration", limit: query.limit });
        return { items: page.items.filter((each) => each.cluster === param("id")) };
      },
    }),
    defineRoute("POST /redis/:id/migrations/stop", {
      summary: "End the running move after the slots in flight",
      body: z.object({ reason }),
      handle: ({ param, body, principal }) => {
        known(param("id"));
        return ask({ principal }, { kind: "redis-stop-migration", cluster: param("id"), reason: body.reason });
      },
    }),
    defineRoute("POST /redis/:id/failover/plan", {
      summary: "What making a replica the master would do now, with every check; changes nothing",
      body: failoverBody,
      handle: ({ param, body }) => found(control.planRedisFailover(param("id"), body), "cluster", param("id")),
    }),
    defineRoute("POST /redis/:id/failover", {
      summary: "Make a replica the master: sealed and promoted in a replica set, by its own vote in a Redis Cluster",
      body: z.object({
        ...failoverBody.shape,
        planHash: z._default(z.nullable(z.string().check(z.maxLength(128))), null),
        reason,
        confirm,
      }),
      handle: ({ param, body, principal }) => {
        known(param("id"));
        confirmed(param("id"), body.confirm);
        const { target, mode, planHash, reason: why } = body;
        const cluster = param("id");
        return ask({ principal }, { kind: "redis-failover", cluster, target, mode, planHash, reason: why });
      },
    }),
    defineRoute("PUT /redis/:id/automation", {
      summary: "Let automatic failover of a replica set act, or hold it",
      body: z.object({ state: z.enum(["on", "held"]), reason }),
      handle: ({ param, body, principal }) => {
        known(param("id"));
        return ask(
          { principal },
          { kind: "redis-automation", cluster: param("id"), state: body.state, reason: body.reason },
        );
      },
    }),
  ];
}
