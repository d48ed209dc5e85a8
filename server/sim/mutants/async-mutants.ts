import type { Mutant } from "./mutant.ts";

const leased = { maxLagBytes: 16_384, watchdog: true, hook: false } as const;

/** Rules of asynchronous mode, each broken; caught like the others. */
export const asyncMutants: readonly Mutant[] = [
  {
    name: "promote-before-lease-ends",
    says: "half a second after the seals the lease is taken for ended",
    caughtBy: ["one-writer"],
    source: {
      of: "core",
      file: "recovery/fencing.ts",
      find: "const waitMs = durationMs * (1 + driftShare) + leaseMarginMs;",
      replace: "const waitMs = 500;",
    },
    run: { async: leased, faults: ["partition", "half-return"] },
  },
  {
    name: "promote-without-proof",
    says: "an asynchronous failover waits for no proof that the old primary is down",
    caughtBy: ["one-writer"],
    source: {
      of: "core",
      file: "recovery/async-failover.ts",
      find: "(action.from !== null && provenBy(action) === null)) return",
      replace: "action.intentId === null) return",
    },
    run: { async: leased, faults: ["partition", "half-return"] },
  },
  {
    name: "count-on-renewed-lease",
    says: "a lease is counted on while a member that was not sealed can renew it",
    caughtBy: ["one-writer"],
    source: {
      of: "core",
      file: "recovery/fencing.ts",
      find: "return left < renewersNeeded(configuration.members);",
      replace: "return left < Number.POSITIVE_INFINITY;",
    },
    run: { async: leased, faults: ["split"] },
  },
  {
    name: "count-on-lease-without-watchdog",
    says: "a lease is counted on where nothing enforces it",
    caughtBy: ["one-writer"],
    source: {
      of: "core",
      file: "recovery/fencing.ts",
      find: "if (cluster.members[node]?.watchdog !== true || inForce.length === 0) return null;",
      replace: "if (inForce.length === 0) return null;",
    },
    run: { async: { ...leased, watchdog: false }, faults: ["freeze"] },
  },
  {
    name: "renew-under-higher-promise",
    says: "a member renews the old primary's lease after it has promised a newer epoch",
    caughtBy: ["one-writer"],
    source: {
      of: "fence",
      file: "lease.ts",
      find: 'return record.standing.kind === "standby" && record.promise?.epoch === epoch;',
      replace: "return record.promise !== null && record.promise.epoch >= epoch;",
    },
    run: { async: leased, faults: ["half-return"] },
  },
  {
    name: "dead-man-without-stop",
    says: "when the lease is over sessions are ended and the server runs on",
    caughtBy: ["lease-kept"],
    hands: { stopsAtLeaseEnd: false },
    run: { async: { ...leased, watchdog: false }, faults: ["partition"] },
  },
  {
    name: "ignore-max-lag",
    says: "a failover begins whatever it may lose",
    caughtBy: ["announced-loss"],
    source: {
      of: "core",
      file: "recovery/loss.ts",
      find: "return loss.atMostBytes === null || loss.atMostBytes > limitBytes;",
      replace: "return loss.atMostBytes === -1;",
    },
    run: { async: { ...leased, maxLagBytes: 4_096 }, faults: ["starved-standbys"], policy: { leaseMs: 10_000 } },
  },
  {
    name: "run-ahead-unrenewed",
    says: "a primary that nobody renews may run ahead of its standbys without limit",
    caughtBy: ["announced-loss"],
    source: {
      of: "fence",
      file: "lease.ts",
      find: "advance.lagBytes + advance.grownBytes >= maxLagBytes",
      replace: "advance.lagBytes + advance.grownBytes >= Number.POSITIVE_INFINITY",
    },
    run: { async: leased, faults: ["partition"], writeEveryMs: 30 },
  },
];
