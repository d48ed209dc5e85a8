import * as z from "zod/mini";
import {
  type DocumentOf,
  defaultVnodes,
  KEY_SPACE_DEFAULTS,
  KEY_SPACE_LIMITS,
  type RingChange,
  type RingNode,
} from "../../core/index.ts";
import { describeKeySpace, locateKey, planChanges } from "../key-spaces.ts";
import { notFound, Problem, readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { filterText, queryInt, reason } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const spaceName = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,39}$/));
/** Also `10.0.0.1:6379` and the like: what applications call their nodes. */
const nodeName = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,99}$/));
const weight = z.number().check(z.gte(0), z.lte(1_000));
const node = z.object({
  id: nodeName,
  weight: z._default(weight, 1),
  zone: z._default(z.nullable(nodeName), null),
});
const count = z.nullable(z.int().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER)));
const change = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("add"), node }),
  z.object({ kind: z.literal("drain"), id: nodeName }),
  z.object({ kind: z.literal("weight"), id: nodeName, weight }),
  z.object({ kind: z.literal("remove"), id: nodeName }),
]);
const changes = z.array(change).check(z.minLength(1), z.maxLength(KEY_SPACE_LIMITS.nodes));
const registration = z.object({
  id: spaceName,
  nodes: z.array(node).check(z.minLength(1), z.maxLength(KEY_SPACE_LIMITS.nodes)),
  vnodes: z.optional(z.int().check(z.gte(1), z.lte(KEY_SPACE_LIMITS.points))),
  copies: z._default(z.int().check(z.gte(1), z.lte(KEY_SPACE_LIMITS.copies)), KEY_SPACE_DEFAULTS.copies),
  seed: z._default(z.int().check(z.gte(0), z.lte(2 ** 32 - 1)), KEY_SPACE_DEFAULTS.seed),
  /** Null: nodes own what falls to them. */
  loadBound: z._default(z.nullable(z.number().check(z.gte(0.005), z.lte(10))), KEY_SPACE_DEFAULTS.loadBound),
  keys: z._default(count, null),
  bytes: z._default(count, null),
  reason,
});

/** Key spaces on consistent-hash rings: any application can register one, ask who owns a key, and change its nodes under a plan. */
export function ringRoutes(services: HttpServices): Route[] {
  const { control } = services;
  const known = (id: string): DocumentOf<"key-space"> => {
    const space = control.findDocument("key-space", id);
    if (space === null) throw notFound("key-space", id);
    return space;
  };
  return [
    defineRoute("GET /rings", {
      summary: "All key spaces, with who owns how much",
      handle: () => ({ items: control.listDocuments("key-space").map(describeKeySpace) }),
    }),
    defineRoute("POST /rings", {
      summary: "Register a key space: its nodes with weights and zones, virtual nodes, copies",
      body: registration,
      handle: async ({ body, principal }) => {
        const { id, nodes, copies, seed, loadBound, keys, bytes } = body;
        const spec = { nodes: nodes as RingNode[], vnodes: body.vnodes ?? defaultVnodes(nodes), seed, loadBound };
        const request = { kind: "register-key-space", id, spec, copies, keys, bytes, reason: body.reason } as const;
        return Response.json(readReply(await control.request(actorOf(principal), request)), { status: 201 });
      },
    }),
    defineRoute("GET /rings/:id", {
      summary: "One key space with its former versions",
      handle: ({ param }) => describeKeySpace(known(param("id"))),
    }),
    defineRoute("DELETE /rings/:id", {
      summary: "Forget a key space; applications can't ask about it any more",
      body: z.object({ reason, confirm: z.string().check(z.maxLength(40)) }),
      handle: async ({ param, body, principal }) => {
        confirmed(known(param("id")).id, body.confirm);
        const request = { kind: "remove-key-space", id: param("id"), reason: body.reason } as const;
        return readReply(await control.request(actorOf(principal), request));
      },
    }),
    defineRoute("PUT /rings/:id/counts", {
      summary: "Say how many keys and bytes lie in a key space, so that plans can speak of them",
      body: z.object({ keys: count, bytes: count }),
      handle: async ({ param, body, principal }) => {
        const request = { kind: "count-key-space", id: known(param("id")).id, ...body } as const;
        return readReply(await control.request(actorOf(principal), request));
      },
    }),
    defineRoute("GET /rings/:id/locate", {
      summary: "Who owns a key, where its copies go, and why",
      query: z.object({ key: filterText, copies: z.optional(queryInt(1, KEY_SPACE_LIMITS.copies)) }),
      handle: ({ param, query }) => {
        if (query.key === undefined)
          throw new Problem(400, "invalid", "query.key: say which key.", { path: "query.key" });
        const space = known(param("id"));
        return locateKey(space, query.key, query.copies ?? space.copies);
      },
    }),
    defineRoute("POST /rings/:id/plan", {
      summary: "What a change of the nodes would move, beside k mod n; changes nothing",
      body: z.object({ changes }),
      handle: ({ param, body }) => planChanges(known(param("id")), body.changes as RingChange[]),
    }),
    defineRoute("POST /rings/:id/apply", {
      summary: "Make the planned change the next epoch of the key space",
      body: z.object({
        changes,
        planHash: z.string().check(z.maxLength(128)),
        reason,
        /** The key space's name, typed: applications move data by what stands here. */
        confirm: z.string().check(z.maxLength(40)),
      }),
      handle: async ({ param, body, principal }) => {
        confirmed(known(param("id")).id, body.confirm);
        const { planHash, reason: why } = body;
        const wanted = body.changes as RingChange[];
        const request = { kind: "change-key-space", id: param("id"), changes: wanted, planHash, reason: why } as const;
        return readReply(await control.request(actorOf(principal), request));
      },
    }),
  ];
}

function confirmed(id: string, typed: string): void {
  if (typed !== id) throw new Problem(400, "confirm", "Type the key space's name to confirm.", { cluster: id });
}
