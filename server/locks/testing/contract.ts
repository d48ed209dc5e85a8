import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attempt, evict, freeLock, type Lock, release, renew, withdraw } from "../../core/locks/lease.ts";
import type { LockAttempt, LockProvider } from "../../ports/locks.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createLocks } from "../lock-service.ts";

const longMs = 60_000;
const never = new AbortController().signal;
let lastName = 0;
const freshName = (): string => `contract/${process.pid}/${++lastName}`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What every provider holds to, on its real server. */
export function describeLockContract(
  label: string,
  open: () => Promise<LockProvider>,
  close: () => Promise<void>,
): void {
  describe(`locks: ${label}`, () => {
    let provider: LockProvider;
    beforeAll(async () => {
      provider = await open();
    }, 60_000);
    afterAll(close);

    const ask = (name: string, owner: string, ttlMs = longMs, placeMs = longMs) =>
      provider.attempt({ name, owner, holder: `test ${owner}`, ttlMs, placeMs });
    const granted = (answer: LockAttempt) => {
      if (!answer.ok) throw new Error(`not granted: place ${answer.place}`);
      return answer;
    };

    it("is well", async () => {
      expect(await provider.health()).toMatchObject({ ok: true, detail: "" });
    });

    it("gives a lock to one, the others their places in order, and the next its turn", async () => {
      const name = freshName();
      const first = granted(await ask(name, "a"));
      expect(await ask(name, "b")).toMatchObject({ ok: false, place: 1 });
      expect(await ask(name, "c")).toMatchObject({ ok: false, place: 2 });
      expect(await ask(name, "b")).toMatchObject({ ok: false, place: 1 });
      expect(await provider.release(name, "a", first.token)).toBe(true);
      expect(await ask(name, "c")).toMatchObject({ ok: false });
      expect(granted(await ask(name, "b")).token).toBeGreaterThan(first.token);
    });

    it("answers the same owner with the same grant", async () => {
      const name = freshName();
      const first = granted(await ask(name, "a"));
      const again = granted(await ask(name, "a"));
      expect(again.token).toBe(first.token);
      expect(again.leftMs).toBeLessThanOrEqual(first.leftMs);
    });

    it("does not queue whoever only tries", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a"));
      expect(await ask(name, "b", longMs, 0)).toMatchObject({ ok: false, place: 0 });
      await provider.release(name, "a", token);
      granted(await ask(name, "c", longMs, 0));
    });

    it("ends a lease that is not renewed, and never revives it", async () => {
      const name = freshName();
      const old = granted(await ask(name, "a", 300));
      await pause(500);
      expect(await provider.renew(name, "a", old.token, longMs)).toBeNull();
      const next = granted(await ask(name, "b"));
      expect(next.token).toBeGreaterThan(old.token);
      expect(await provider.release(name, "a", old.token)).toBe(false);
      expect(await provider.renew(name, "a", old.token, longMs)).toBeNull();
      expect(await provider.renew(name, "b", next.token, longMs)).toBeGreaterThan(longMs - 5_000);
    });

    it("keeps a lease that is renewed", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a", 600));
      for (let round = 0; round < 4; round++) {
        await pause(250);
        expect(await provider.renew(name, "a", token, 600)).toBeGreaterThan(300);
      }
      expect(await ask(name, "b")).toMatchObject({ ok: false });
    });

    it("never shortens a lease", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a"));
      expect(await provider.renew(name, "a", token, 100)).toBeGreaterThan(longMs - 5_000);
    });

    it("refuses a wrong token and a wrong owner", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a"));
      expect(await provider.renew(name, "b", token, longMs)).toBeNull();
      expect(await provider.renew(name, "a", token + 1, longMs)).toBeNull();
      expect(await provider.release(name, "b", token)).toBe(false);
      expect(await provider.evict(name, token + 1)).toBe(false);
      expect(await ask(name, "c", longMs, 0)).toMatchObject({ ok: false });
    });

    it("lets go of a place that is not kept", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a"));
      await ask(name, "gone", longMs, 300);
      await provider.release(name, "a", token);
      await pause(1_500);
      granted(await ask(name, "c", longMs, 0));
    });

    it("counts places from the first who waits, whether the lock is held or free for them", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a"));
      expect(await ask(name, "b")).toMatchObject({ ok: false, place: 1 });
      await provider.release(name, "a", token);
      expect(await ask(name, "a")).toMatchObject({ ok: false, place: 2 });
      granted(await ask(name, "b"));
      expect(await ask(name, "a")).toMatchObject({ ok: false, place: 1 });
    });

    it("lets go of a place that is given up", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a"));
      await ask(name, "b");
      await provider.withdraw(name, "b");
      await provider.release(name, "a", token);
      granted(await ask(name, "c", longMs, 0));
    });

    it("takes a lock away by its token; the next has a greater one", async () => {
      const name = freshName();
      const { token } = granted(await ask(name, "a"));
      expect(await provider.evict(name, token)).toBe(true);
      expect(await provider.renew(name, "a", token, longMs)).toBeNull();
      expect(granted(await ask(name, "b")).token).toBeGreaterThan(token);
      expect(await provider.evict(name, token)).toBe(false);
    });

    it("lists holders with tokens and time left, waiters in order", async () => {
      const name = `${freshName()}/with: odd-characters_.`;
      const { token } = granted(await ask(name, "a"));
      await ask(name, "b");
      await ask(name, "c");
      const record = (await provider.list(1_000)).find((each) => each.name === name);
      expect(record?.lease).toMatchObject({ owner: "a", holder: "test a", token });
      expect(record?.lease?.leftMs).toBeGreaterThan(longMs - 5_000);
      expect(record?.waiters.map((waiter) => waiter.holder)).toEqual(["test b", "test c"]);
      await provider.release(name, "a", token);
      await provider.withdraw(name, "b");
      await provider.withdraw(name, "c");
      expect((await provider.list(1_000)).some((each) => each.name === name)).toBe(false);
    });

    it("gives every one of many at once its turn, one at a time, with growing tokens", async () => {
      const name = freshName();
      const locks = createLocks([provider], systemClock);
      const order: number[] = [];
      let inside = 0;
      await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const request = { name, owner: `o${i}`, holder: `o${i}`, ttlMs: longMs };
          const outcome = await locks.acquire(null, request, 30_000, never);
          if (outcome.kind !== "granted") throw new Error(outcome.kind);
          expect(++inside).toBe(1);
          order.push(outcome.token);
          await pause(5);
          inside--;
          await locks.release(provider, name, request.owner, outcome.token);
        }),
      );
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(new Set(order).size).toBe(12);
    });

    it("agrees with the pure lock on every sequence of steps", async () => {
      const owner = fc.constantFrom("a", "b", "c");
      const stepOf = fc.oneof(
        fc.record({ kind: fc.constant("attempt" as const), owner, queues: fc.boolean() }),
        fc.record({ kind: fc.constantFrom("renew" as const, "release" as const, "withdraw" as const), owner }),
        fc.record({ kind: fc.constant("evict" as const) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(stepOf, { maxLength: 25 }), async (steps) => {
          const name = freshName();
          let model: Lock = freeLock;
          let token = 0;
          let real = 0;
          for (const step of steps) {
            if (step.kind === "attempt") {
              const wanted = { owner: step.owner, holder: "x", ttlMs: longMs, placeMs: step.queues ? longMs : 0 };
              const expected = attempt(model, wanted, 0, ++token);
              const answer = await provider.attempt({ name, ...wanted });
              expect(answer.ok).toBe(expected.answer.ok);
              if (!answer.ok && !expected.answer.ok) expect(answer.place).toBe(expected.answer.place);
              if (answer.ok) real = answer.token;
              model = expected.lock;
            } else if (step.kind === "evict") {
              const expected = evict(model, model.lease?.token ?? -1, 0);
              expect(await provider.evict(name, real)).toBe(expected.answer);
              model = expected.lock;
            } else if (step.kind === "withdraw") {
              await provider.withdraw(name, step.owner);
              model = withdraw(model, step.owner, 0).lock;
            } else {
              const held = model.lease?.token ?? -1;
              const expected =
                step.kind === "renew" ? renew(model, step.owner, held, longMs, 0) : release(model, step.owner, held, 0);
              const answer =
                step.kind === "renew"
                  ? (await provider.renew(name, step.owner, real, longMs)) !== null
                  : await provider.release(name, step.owner, real);
              expect(answer).toBe(expected.answer !== null && expected.answer !== false);
              model = expected.lock;
            }
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}
