import * as z from "zod/mini";
import {
  type ChangeFilter,
  changeKinds,
  changeStates,
  type DocumentOf,
  matchesChange,
  type RolloutRequest,
} from "../../core/index.ts";
import { limits } from "../../protocol/index.ts";
import { notFound, Problem, readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { cursor, filterText, limit, nodeId, reason, reasonOrEmpty } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const version = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/));
const fileName = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/));
const item = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("release"), version }),
  z.object({
    kind: z.literal("config"),
    file: fileName,
    content: z.string().check(z.maxLength(limits.maxConfigBytes)),
  }),
  z.object({
    kind: z.literal("config-revert"),
    file: fileName,
    change: z.string().check(z.regex(/^CHG-\d{1,12}$/)),
  }),
]);
const rollout = {
  item,
  protocol: z._default(z.enum(["2pc", "3pc", "saga"]), "2pc" as const),
  /** Nodes by wave; none: the first node, then all others. */
  waves: z._default(z.array(z.array(nodeId).check(z.maxLength(64))).check(z.maxLength(16)), []),
  watchSeconds: z._default(z.number().check(z.gte(0), z.lte(3_600)), 15),
  sql: z._default(
    z.nullable(
      z.object({
        cluster: nodeId,
        database: z.string().check(z.minLength(1), z.maxLength(63)),
        statements: z
          .array(z.string().check(z.minLength(1), z.maxLength(10_000)))
          .check(z.minLength(1), z.maxLength(20)),
      }),
    ),
    null,
  ),
};
const rolloutBody = z.object(rollout);

export function changeRoutes(services: HttpServices): Route[] {
  const { control, reads } = services;
  const demandService = (service: string): string => {
    if (control.listPrograms().some((each) => each.service === service)) return service;
    throw notFound("service", service);
  };
  return [
    defineRoute("GET /releases", {
      summary: "Plain services: which release runs where, and how it does",
      handle: () => ({ items: control.listPrograms() }),
    }),
    defineRoute("POST /releases/:id/plan", {
      summary: "What a rollout would do now, with every check; changes nothing",
      body: rolloutBody,
      handle: ({ param, body }) => control.planRollout(toRequest(demandService(param("id")), body)),
    }),
    defineRoute("POST /releases/:id/rollout", {
      summary: "Roll out a release or a configuration file under the plan that was shown",
      body: z.object({
        ...rollout,
        planHash: z.string().check(z.maxLength(64)),
        reason,
        /** The service's name, typed. */
        confirm: z.string().check(z.maxLength(40)),
      }),
      async handle({ param, body, principal }) {
        const service = confirmed(demandService(param("id")), body.confirm);
        const request = toRequest(service, body);
        const { planHash, reason: why } = body;
        const asked = { kind: "start-rollout", rollout: request, planHash, reason: why } as const;
        return Response.json(readReply(await control.request(actorOf(principal), asked)), { status: 202 });
      },
    }),
    defineRoute("POST /releases/:id/dry-run", {
      summary:
        "Stage and validate a rollout on every participant, or on one, and discard it again: nothing is switched",
      body: z.object({
        ...rollout,
        /** A node, or `sql:CLUSTER`; null: all of them. */
        only: z._default(z.nullable(z.string().check(z.minLength(1), z.maxLength(120))), null),
        reason: reasonOrEmpty,
      }),
      async handle({ param, body, principal }) {
        const request = toRequest(demandService(param("id")), body);
        const { planHash } = control.planRollout(request);
        const dryRun = { only: body.only };
        const asked = { kind: "start-rollout", rollout: request, planHash, dryRun, reason: body.reason } as const;
        return Response.json(readReply(await control.request(actorOf(principal), asked)), { status: 202 });
      },
    }),
    defineRoute("POST /releases/:id/rollback", {
      summary: "Back to the last good version, or to the one that is named",
      body: z.object({ version: z._default(z.nullable(version), null), reason }),
      async handle({ param, body, principal }) {
        const service = demandService(param("id"));
        const asked = { kind: "start-rollback", service, version: body.version, reason: body.reason } as const;
        return Response.json(readReply(await control.request(actorOf(principal), asked)), { status: 202 });
      },
    }),
    defineRoute("POST /releases/:id/restart", {
      summary: "Every node's process again, one node after the other",
      body: z.object({ reason, confirm: z.string().check(z.maxLength(40)) }),
      async handle({ param, body, principal }) {
        const service = confirmed(demandService(param("id")), body.confirm);
        const asked = { kind: "start-restart", service, reason: body.reason } as const;
        return Response.json(readReply(await control.request(actorOf(principal), asked)), { status: 202 });
      },
    }),
    defineRoute("GET /changes", {
      summary: "Changes, newest first; of those that match, when a text, a state or a kind is named",
      query: z.object({
        cursor,
        limit,
        /** Part of an id, service, version, file, reason, name of who began it, or participant. */
        text: filterText,
        state: z.optional(z.enum(changeStates)),
        kind: z.optional(z.enum(changeKinds)),
      }),
      handle: ({ query: { cursor: from, limit: most, ...filter } }) => listMatching(reads, filter, most, from),
    }),
    defineRoute("GET /changes/:id", {
      summary: "A change with its participants, votes and story",
      async handle({ param }) {
        const change = await reads.document("change", param("id"));
        if (change === null) throw notFound("change", param("id"));
        return change;
      },
    }),
    defineRoute("POST /changes/:id/stop", {
      summary: "Stop a change that has not been decided; what was switched goes back",
      body: z.object({ reason }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), {
            kind: "stop-change",
            change: param("id"),
            reason: body.reason,
          }),
        ),
    }),
    defineRoute("POST /changes/:id/set-aside", {
      summary:
        "End a decided change without a participant that does not come back; it is told the decision when it does",
      body: z.object({ participant: z.string().check(z.minLength(1), z.maxLength(120)), confirm: z.string(), reason }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), {
            kind: "set-participant-aside",
            change: param("id"),
            participant: confirmed(body.participant, body.confirm, "participant"),
            reason: body.reason,
          }),
        ),
    }),
  ];
}

/** Documents read at once while matching ones are looked for, and how often in one request: the cursor goes on where it ended. */
const pageSize = 200;
const mostPages = 100;

async function listMatching(
  reads: HttpServices["reads"],
  filter: ChangeFilter,
  most: number,
  from: string | undefined,
) {
  const isAll = filter.text === undefined && filter.state === undefined && filter.kind === undefined;
  const items: DocumentOf<"change">[] = [];
  let cursor = from;
  for (let page = 0; page < mostPages; page += 1) {
    // The cursor stands behind the page: one that held more than is still wanted would give too many, or lose some.
    const size = isAll ? most : Math.min(pageSize, most - items.length);
    const found = await reads.documents({ kind: "change", limit: size, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...found.items.filter((each) => matchesChange(each, filter)));
    if (found.nextCursor === null || isAll || items.length >= most) return { items, nextCursor: found.nextCursor };
    cursor = found.nextCursor;
  }
  return { items, nextCursor: cursor ?? null };
}

function confirmed(name: string, typed: string, what: "service" | "participant" = "service"): string {
  if (typed !== name) throw new Problem(400, "confirm", `Type the ${what}'s name to confirm.`, { [what]: name });
  return name;
}

function toRequest(service: string, body: z.output<typeof rolloutBody>): RolloutRequest {
  const { item: what, protocol, waves, watchSeconds, sql } = body;
  return { service, item: what, protocol, waves, watchMs: Math.round(watchSeconds * 1_000), sql };
}
