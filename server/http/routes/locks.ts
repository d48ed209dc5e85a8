import { createHash } from "node:crypto";
import * as z from "zod/mini";
import type { Principal } from "../../ports/access.ts";
import { type LockProvider, LockProviderDown, type LockRecord, type Locks, ownLockPrefix } from "../../ports/locks.ts";
import { cleanText } from "../../protocol/clean-text.ts";
import type { LockProviderView, LocksView, LockView } from "../../protocol/lock-views.ts";
import { Problem } from "../problem.ts";
import { actorOf, audit, defineRoute, type Route } from "../route.ts";
import { lockName, reason } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const maxWaitMs = 25_000;

const provider = z._default(z.nullable(z.string().check(z.maxLength(40))), null);
/** Made by the asker, anew for each wish to hold the lock, and known to nobody else: with it a lost answer can be asked for again. */
const requestId = z.string().check(z.regex(/^[A-Za-z0-9_-]{16,64}$/, "must be 16 to 64 letters, digits, - or _"));
const token = z.int().check(z.gte(1));
const ttlMs = z._default(z.int().check(z.gte(1_000), z.lte(3_600_000)), 15_000);
const target = { provider, name: lockName, requestId };

export function lockRoutes(services: HttpServices): Route[] {
  return [statusRoute(services), ...holderRoutes(services), evictRoute(services)];
}

function statusRoute({ locks, clock }: HttpServices): Route {
  return defineRoute("GET /locks", {
    summary: "Lock providers with their health, and every lock with its holder and its waiters",
    handle: async (): Promise<LocksView> => ({ providers: await readProviders(locks, clock.wallMs()) }),
  });
}

function holderRoutes({ locks }: HttpServices): Route[] {
  return [
    defineRoute("POST /locks/acquire", {
      summary: "Take a lock, waiting up to waitMs; the same requestId is answered with the same grant or place",
      body: z.object({
        ...target,
        ttlMs,
        waitMs: z._default(z.int().check(z.gte(0), z.lte(maxWaitMs)), 0),
        holder: z._default(z.string().check(z.maxLength(100)), ""),
      }),
      async handle({ body, principal, signal }) {
        checkName(principal, body.name);
        const owner = ownerOf(principal, body.requestId);
        const ask = { name: body.name, owner, holder: describeHolder(principal, body.holder), ttlMs: body.ttlMs };
        const outcome = await reached(() => locks.acquire(body.provider, ask, body.waitMs, signal));
        if (outcome.kind === "unknown-provider") throw unknownProvider(locks, body.provider);
        if (outcome.kind === "too-many-waiters") {
          const detail = `Already ${outcome.limit} requests wait for locks. Try again in a moment.`;
          throw new Problem(503, "too-many-waiters", detail, { limit: outcome.limit }, { "retry-after": "1" });
        }
        return { name: body.name, ...outcome };
      },
    }),
    defineRoute("POST /locks/renew", {
      summary: "Keep a lock for ttlMs more; refused when it was lost",
      body: z.object({ ...target, token, ttlMs }),
      async handle({ body, principal }) {
        checkName(principal, body.name);
        const found = findProvider(locks, body.provider);
        const owner = ownerOf(principal, body.requestId);
        const leftMs = await reached(() => found.renew(body.name, owner, body.token, body.ttlMs));
        if (leftMs === null) {
          const detail = `The lock ${body.name} is lost: its lease ran out, it was released by force, or ${found.name} forgot it. Stop the work; token ${body.token} is not the newest any more.`;
          throw new Problem(409, "lock-lost", detail, { name: body.name, token: body.token });
        }
        return { name: body.name, provider: found.name, token: body.token, leftMs };
      },
    }),
    defineRoute("POST /locks/release", {
      summary: "Give a lock back; released is false when it was lost before",
      body: z.object({ ...target, token }),
      async handle({ body, principal }) {
        checkName(principal, body.name);
        const found = findProvider(locks, body.provider);
        const owner = ownerOf(principal, body.requestId);
        return { released: await reached(() => locks.release(found, body.name, owner, body.token)) };
      },
    }),
    defineRoute("POST /locks/withdraw", {
      summary: "Give up a place in the queue",
      body: z.object(target),
      async handle({ body, principal }) {
        checkName(principal, body.name);
        const found = findProvider(locks, body.provider);
        await reached(() => found.withdraw(body.name, ownerOf(principal, body.requestId)));
        return undefined;
      },
    }),
  ];
}

function evictRoute(services: HttpServices): Route {
  const { locks } = services;
  return defineRoute("POST /locks/evict", {
    summary: "Take a lock away from its holder; the name must be typed again in confirm",
    body: z.object({ provider, name: lockName, token, confirm: z.string(), reason }),
    async handle({ body, principal }) {
      const actor = actorOf(principal);
      if (body.confirm !== body.name) {
        throw new Problem(409, "not-confirmed", `Type the name of the lock, ${body.name}, to confirm.`);
      }
      const found = findProvider(locks, body.provider);
      const record = (await reached(() => found.list(10_000))).find((each) => each.name === body.name);
      if (!(await reached(() => locks.evict(found, body.name, body.token)))) {
        const detail = `Nothing was done: ${body.name} is not held under token ${body.token} any more.`;
        throw new Problem(409, "lock-changed", detail, { name: body.name, token: body.token });
      }
      await audit(services, actor, {
        verb: "lock-released",
        subject: `lock:${found.name}/${body.name}`,
        before: { holder: record?.lease?.holder ?? null, token: body.token },
        after: { waiting: record?.waiters.length ?? 0 },
        reason: body.reason,
      });
      return { released: true };
    },
  });
}

async function readProviders(locks: Locks, wallMs: number): Promise<readonly LockProviderView[]> {
  return (await locks.status()).map(({ locks: records, ...provider }) => ({
    ...provider,
    locks: records.map((record) => viewLock(record, wallMs)),
  }));
}

function viewLock({ name, lease, waiters }: LockRecord, wallMs: number): LockView {
  return {
    name,
    holder: lease && {
      id: publicId(lease.owner),
      label: cleanText(lease.holder, 200),
      token: lease.token,
      since: Math.round(wallMs - lease.heldMs),
      until: Math.round(wallMs + lease.leftMs),
    },
    waiters: waiters.map(({ owner, holder, waitedMs }) => ({
      id: publicId(owner),
      label: cleanText(holder, 200),
      since: Math.round(wallMs - waitedMs),
    })),
  };
}

/** Tells holders apart without giving away what would let one renew or release another's lock. */
function publicId(owner: string): string {
  return createHash("sha256").update(owner).digest("hex").slice(0, 12);
}

function ownerOf(principal: Principal | null, id: string): string {
  return `${principal?.id ?? "nobody"}/${id}`;
}

function describeHolder(principal: Principal | null, label: string): string {
  const name = principal?.name ?? "";
  const text = cleanText(label, 100).trim();
  return text === "" ? name : `${text} (${name})`;
}

function checkName(principal: Principal | null, name: string): void {
  const application = principal?.application;
  if (application === undefined) return;
  const { lockPrefixes } = application;
  const allowed =
    lockPrefixes.length === 0
      ? !name.startsWith(ownLockPrefix)
      : lockPrefixes.some((prefix) => name.startsWith(prefix));
  if (allowed) return;
  const limits =
    lockPrefixes.length === 0 ? `any but those below ${ownLockPrefix}` : `those below ${lockPrefixes.join(", ")}`;
  throw new Problem(403, "lock-name", `This token may not touch the lock ${name}: its names are ${limits}.`, { name });
}

function findProvider(locks: Locks, name: string | null): LockProvider {
  const found = locks.find(name);
  if (found === undefined) throw unknownProvider(locks, name);
  return found;
}

function unknownProvider(locks: Locks, name: string | null): Problem {
  const known = locks.providers.map((each) => each.name).join(", ");
  return new Problem(404, "unknown-provider", `There is no lock provider named ${name}; there are: ${known}.`, {
    provider: name,
  });
}

async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LockProviderDown)) throw error;
    const detail = `${error.message}. Nothing is certain about this request; ask again with the same requestId.`;
    const headers = { "retry-after": "1" };
    throw new Problem(503, "lock-provider-down", detail, { provider: error.provider }, headers);
  }
}
