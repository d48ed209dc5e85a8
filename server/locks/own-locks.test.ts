import { beforeEach, describe, expect, it } from "vitest";
import { type LockProvider, LockProviderDown } from "../ports/locks.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLocks, createMemoryLedger, createMemoryProvider } from "./index.ts";
import { createOwnLocks } from "./own-locks.ts";

const name = "holdfast/cluster/orders";
let nowMs = 0;
let provider: LockProvider;
let busy: Map<string, string>;
let warnings: number;

function create() {
  return createOwnLocks({
    locks: createLocks([provider], systemClock),
    busy: () => busy,
    warn: () => warnings++,
  });
}

const holderOf = async (): Promise<string | null> =>
  (await provider.list(10)).find((record) => record.name === name)?.lease?.holder ?? null;
const backup = () => provider.attempt({ name, owner: "anna/1", holder: "backup (anna)", ttlMs: 60_000, placeMs: 0 });

beforeEach(() => {
  nowMs = 0;
  warnings = 0;
  busy = new Map();
  provider = createMemoryProvider(createMemoryLedger(), () => nowMs);
});

describe("the control plane's own locks", () => {
  it("are held from the request of something planned until it is over", async () => {
    const own = create();
    expect(await own.claim(name, "switchover (anna)")).toMatchObject({ ok: true });
    expect(await backup()).toMatchObject({ ok: false });
    busy.set(name, "ACT-1 switchover (anna)");
    for (nowMs = 1_000; nowMs <= 60_000; nowMs += 1_000) await own.tidy();
    expect(await holderOf()).not.toBeNull();
    busy.clear();
    await own.tidy();
    expect(await backup()).toMatchObject({ ok: true });
  });

  it("are given back when the request was refused, unless something else is under way", async () => {
    const own = create();
    const refused = await own.claim(name, "switchover (anna)");
    if (refused.ok) await refused.giveUp();
    expect(await holderOf()).toBeNull();
    busy.set(name, "ACT-1 rejoin (holdfast)");
    await own.tidy();
    const second = await own.claim(name, "switchover (anna)");
    if (second.ok) await second.giveUp();
    expect(await holderOf()).toBe("ACT-1 rejoin (holdfast)");
  });

  it("leave whoever holds one alone, and say who it is", async () => {
    const own = create();
    await backup();
    expect(await own.claim(name, "switchover (anna)")).toMatchObject({ ok: false, lease: { holder: "backup (anna)" } });
    expect(await own.othersLease(name)).toMatchObject({ holder: "backup (anna)" });
    // A failover goes on without it.
    busy.set(name, "ACT-1 failover (holdfast)");
    await own.tidy();
    expect(await holderOf()).toBe("backup (anna)");
  });

  it("are taken up again after a restart, by their name alone", async () => {
    await create().claim(name, "switchover (anna)");
    const again = create();
    expect(await again.othersLease(name)).toBeNull();
    await again.tidy();
    busy.set(name, "ACT-1 switchover (anna)");
    await again.tidy();
    busy.clear();
    await again.tidy();
    expect(await holderOf()).toBeNull();
  });

  it("stand in nobody's way while their provider is down", async () => {
    const down = async (): Promise<never> => {
      throw new LockProviderDown("postgres", "refused");
    };
    provider = { ...provider, attempt: down, list: down, renew: down, release: down };
    const own = create();
    const claim = await own.claim(name, "switchover (anna)");
    expect(claim.ok).toBe(true);
    if (claim.ok) await claim.giveUp();
    busy.set(name, "ACT-1 failover (holdfast)");
    await own.tidy();
    expect(await own.othersLease(name)).toBeNull();
    expect(warnings).toBeGreaterThan(0);
  });
});
