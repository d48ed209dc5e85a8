import { describe, expect, it } from "vitest";
import {
  judgeLease,
  type LeaseBook,
  leaseLeftMs,
  mayBegin,
  mayFeed,
  mayRenew,
  openLease,
  renewLease,
} from "./lease.ts";
import { emptyFence, type FenceRecord } from "./promise.ts";

const terms = { durationMs: 10_000, maxLagBytes: 1_000 };
const configuration = { epoch: 3, version: 7, k: 0, members: ["b", "c", "d"], lease: terms };
const promise = { epoch: 3, intentId: "i", step: 1, configVersion: 7 };
const primary: FenceRecord = { ...emptyFence, promise, standing: { kind: "primary", configuration } };
const still = { lagBytes: 0, grownBytes: 0 };

const book = openLease(primary, null, 1_000) as LeaseBook;
const renewed = (ask: number) => renewLease(book, { by: null, epoch: 3, ask }, ask + 500);

describe("a lease", () => {
  it("is kept by the primary of a leased configuration alone", () => {
    const { lease: _, ...plain } = configuration;
    expect(openLease(emptyFence, null, 0)).toBeNull();
    expect(openLease({ ...primary, standing: { kind: "primary", configuration: plain } }, null, 0)).toBeNull();
    expect(openLease({ ...primary, standing: { kind: "sealed" } }, book, 0)).toBeNull();
  });

  it("counts from when the request was made, however late the renewal comes", () => {
    expect(leaseLeftMs(renewLease(book, { by: null, epoch: 3, ask: 2_000 }, 9_000), 9_000)).toBe(3_000);
  });

  it("takes no renewal of another epoch, of the future, or by a stranger", () => {
    for (const renewal of [
      { by: null, epoch: 2, ask: 1_500 },
      { by: null, epoch: 3, ask: 5_000 },
      { by: "x", epoch: 3, ask: 1_500 },
    ]) {
      expect(renewLease(book, renewal, 2_000)).toBe(book);
    }
  });

  it("needs half of the members where the control plane is silent", () => {
    const one = renewLease(book, { by: "b", epoch: 3, ask: 2_000 }, 2_500);
    expect(leaseLeftMs(one, 2_500)).toBe(0);
    expect(leaseLeftMs(renewLease(one, { by: "c", epoch: 3, ask: 2_100 }, 2_500), 2_500)).toBe(9_500);
  });

  it("keeps its renewals under a newer configuration of the same epoch, and loses them with the epoch", () => {
    const held = renewed(2_000);
    expect(leaseLeftMs(openLease(primary, held, 3_000) as LeaseBook, 3_000)).toBe(9_000);
    const next = { ...primary, promise: { ...promise, epoch: 4 } };
    expect(leaseLeftMs(openLease(next, held, 3_000) as LeaseBook, 3_000)).toBe(0);
  });
});

describe("the dead-man timer", () => {
  it("ends sessions first and stops the server before the lease is over", () => {
    const held = renewed(2_000);
    expect(judgeLease(held, still, 8_900)).toBe("keep");
    expect(judgeLease(held, still, 9_000)).toBe("read-only");
    expect(judgeLease(held, still, 10_000)).toBe("stop");
  });

  it("gives a grant that nobody has renewed yet a moment", () => {
    expect(judgeLease(book, still, 5_900)).toBe("keep");
    expect(judgeLease(book, still, 6_000)).toBe("stop");
  });

  it("lets a primary run ahead of its standbys only while somebody renews", () => {
    const held = renewed(2_000);
    expect(judgeLease(held, { lagBytes: 5_000, grownBytes: 100 }, 3_000)).toBe("keep");
    expect(judgeLease(held, { lagBytes: 800, grownBytes: 100 }, 4_000)).toBe("keep");
    expect(judgeLease(held, { lagBytes: 950, grownBytes: 100 }, 4_000)).toBe("stop");
  });

  it("begins nothing, and feeds no watchdog, when too little is left", () => {
    const held = renewed(2_000);
    expect([mayBegin(held, 6_900), mayBegin(held, 7_100)]).toEqual([true, false]);
    expect([mayFeed(held, 4_000, 7_900), mayFeed(held, 4_000, 8_100)]).toEqual([true, false]);
  });
});

describe("a standby", () => {
  const endpoint = { node: "a", host: "h", port: 5432 };
  it("renews only under the promise it holds", () => {
    const standby: FenceRecord = { ...emptyFence, promise, standing: { kind: "standby", primary: endpoint } };
    expect(mayRenew(standby, 3)).toBe(true);
    expect(mayRenew({ ...standby, promise: { ...promise, epoch: 4 } }, 3)).toBe(false);
    expect(mayRenew({ ...standby, standing: { kind: "sealed" } }, 3)).toBe(false);
  });
});
