import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Endpoint, Grant, SyncConfiguration, Verb } from "../../server/core/index.ts";
import {
  emptyFence,
  type FencedCommand,
  type FenceRecord,
  judgeCommand,
  mayFollow,
  recordOutcome,
  stillHolds,
} from "./promise.ts";

const endpoint: Endpoint = { node: "pg-b", host: "127.0.0.1", port: 5432 };

const grants: fc.Arbitrary<Grant> = fc.record({
  epoch: fc.integer({ min: 1, max: 4 }),
  intentId: fc.constantFrom("one", "two"),
  step: fc.integer({ min: 0, max: 3 }),
  configVersion: fc.integer({ min: 1, max: 4 }),
});

const configurations: fc.Arbitrary<SyncConfiguration> = fc.record({
  epoch: fc.integer({ min: 1, max: 4 }),
  version: fc.integer({ min: 1, max: 4 }),
  k: fc.integer({ min: 0, max: 2 }),
  members: fc.constantFrom(["pg-b"], ["pg-b", "pg-c"]),
});

const verbs: fc.Arbitrary<Verb> = configurations.chain((configuration) =>
  fc.constantFrom<Verb>(
    { verb: "postgres.initialize", args: { configuration, peers: [] } },
    { verb: "postgres.seal", args: {} },
    { verb: "postgres.learn", args: { configurations: [configuration] } },
    { verb: "postgres.promote", args: { configuration, peers: [], timeline: 2 } },
    { verb: "postgres.follow", args: { primary: endpoint, configurations: [configuration], history: [] } },
    { verb: "postgres.configure", args: { configuration, leaving: [], peers: [] } },
    { verb: "postgres.verify", args: { deadlineMs: 1_000 } },
    { verb: "postgres.fence", args: {} },
    { verb: "postgres.demote", args: { deadlineMs: 1_000, way: "quiesce" } },
    { verb: "postgres.regrant", args: { configuration, peers: [] } },
    { verb: "postgres.rejoin", args: { primary: endpoint, mode: "clone", configurations: [configuration] } },
    { verb: "postgres.restart", args: { as: "primary", configuration, peers: [] } },
  ),
);

const commands: fc.Arbitrary<FencedCommand> = fc.record({ grant: grants, verb: verbs });

/** Every record that a sequence of commands leads to, with the command that was accepted for it. */
function replay(sequence: readonly FencedCommand[]): {
  readonly records: FenceRecord[];
  readonly accepted: FencedCommand[];
} {
  const records = [emptyFence];
  const accepted: FencedCommand[] = [];
  for (const command of sequence) {
    const verdict = judgeCommand(records.at(-1) as FenceRecord, command);
    if (!verdict.ok) continue;
    records.push(verdict.record);
    accepted.push(command);
  }
  return { records, accepted };
}

describe("the promise", () => {
  it("never goes back, and gives an epoch to one intent only", () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 40 }), (sequence) => {
        const { records, accepted } = replay(sequence);
        const intents = new Map<number, string>();
        for (const [index, { grant }] of accepted.entries()) {
          const before = records[index]?.promise ?? null;
          const after = records[index + 1]?.promise;
          expect(after).toMatchObject({ epoch: grant.epoch, intentId: grant.intentId, step: grant.step });
          if (before !== null && after) {
            expect(after.epoch).toBeGreaterThanOrEqual(before.epoch);
            expect(after.configVersion).toBeGreaterThanOrEqual(before.configVersion);
            if (after.epoch === before.epoch) expect(after.step).toBeGreaterThanOrEqual(before.step);
          }
          expect(intents.get(grant.epoch) ?? grant.intentId).toBe(grant.intentId);
          intents.set(grant.epoch, grant.intentId);
        }
      }),
    );
  });

  it("lets nobody work as primary of an epoch that was not granted to this member", () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 40 }), (sequence) => {
        const { records, accepted } = replay(sequence);
        for (const [index, { grant, verb }] of accepted.entries()) {
          if (verb.verb !== "postgres.configure" && verb.verb !== "postgres.verify" && verb.verb !== "postgres.demote")
            continue;
          const before = records[index] as FenceRecord;
          expect(before.promise?.epoch).toBe(grant.epoch);
          expect(["primary", "demoted"]).toContain(before.standing.kind);
        }
      }),
    );
  });

  it("after a seal, a primary of a lower epoch is refused everything", () => {
    const sealed = replay([
      {
        grant: grantOf(1, "one", 0),
        verb: { verb: "postgres.initialize", args: { configuration: configOf(1, 1), peers: [] } },
      },
      { grant: grantOf(2, "two", 0), verb: { verb: "postgres.seal", args: {} } },
    ]).records.at(-1) as FenceRecord;
    const late = judgeCommand(sealed, {
      grant: grantOf(1, "one", 9),
      verb: { verb: "postgres.verify", args: { deadlineMs: 1 } },
    });
    expect(late).toMatchObject({ ok: false, code: "stale-epoch" });
    const other = judgeCommand(sealed, { grant: grantOf(2, "three", 1), verb: { verb: "postgres.seal", args: {} } });
    expect(other).toMatchObject({ ok: false, code: "other-intent" });
    expect(stillHolds(sealed, grantOf(1, "one", 0))).toBe(false);
  });

  it("remembers a promote until somebody works with that primary", () => {
    const promote: FencedCommand = {
      grant: grantOf(2, "two", 1),
      verb: { verb: "postgres.promote", args: { configuration: configOf(2, 2), peers: [], timeline: 2 } },
    };
    const promoted = replay([promote]).records.at(-1) as FenceRecord;
    expect(promoted.promoteIssuedEpoch).toBe(2);
    const sealed = judgeCommand(promoted, { grant: grantOf(3, "three", 0), verb: { verb: "postgres.seal", args: {} } });
    expect(sealed.ok && sealed.record.promoteIssuedEpoch).toBe(2);
    const verified = judgeCommand(promoted, {
      grant: grantOf(2, "two", 2),
      verb: { verb: "postgres.verify", args: { deadlineMs: 1 } },
    });
    expect(verified.ok && verified.record.promoteIssuedEpoch).toBe(null);
  });

  it("forgets it too when a rejoin made a standby of the member, and only then", () => {
    const rejoin: FencedCommand = {
      grant: grantOf(3, "three", 0),
      verb: { verb: "postgres.rejoin", args: { primary: endpoint, mode: "clone", configurations: [] } },
    };
    const record: FenceRecord = { ...emptyFence, promoteIssuedEpoch: 2, standing: { kind: "fenced" } };
    const verdict = judgeCommand(record, rejoin);
    if (!verdict.ok) throw new Error(verdict.detail);
    expect(verdict.record.standing.kind).toBe("rejoining");
    const failed = recordOutcome(verdict.record, rejoin, { status: "failed", code: "clone", detail: "" });
    expect(failed.promoteIssuedEpoch).toBe(2);
    const done = recordOutcome(verdict.record, rejoin, { status: "done", data: {} });
    expect(done).toMatchObject({ promoteIssuedEpoch: null, standing: { kind: "standby", primary: endpoint } });
    expect(mayFollow(done)).toEqual({ primary: endpoint, epoch: 3 });
  });

  it("starts as nobody's standby until it was seen to fit", () => {
    const follow: FencedCommand = {
      grant: grantOf(3, "three", 0),
      verb: { verb: "postgres.follow", args: { primary: endpoint, configurations: [], history: [] } },
    };
    const verdict = judgeCommand(emptyFence, follow);
    if (!verdict.ok) throw new Error(verdict.detail);
    expect(mayFollow(verdict.record)).toBeNull();
    const failed = recordOutcome(verdict.record, follow, { status: "failed", code: "diverged", detail: "" });
    expect(mayFollow(failed)).toBeNull();
    const done = recordOutcome(verdict.record, follow, { status: "done", data: {} });
    expect(mayFollow(done)).toEqual({ primary: endpoint, epoch: 3 });
    // Asked again, it is looked at again.
    const again = judgeCommand(done, { ...follow, grant: grantOf(4, "four", 0) });
    if (!again.ok) throw new Error(again.detail);
    expect(mayFollow(again.record)).toBeNull();
  });

  it("does not take a rejoin that did not end well for a grant: the data may be somebody's own", () => {
    const rejoin: FencedCommand = {
      grant: grantOf(3, "three", 0),
      verb: { verb: "postgres.rejoin", args: { primary: endpoint, mode: "clone", configurations: [] } },
    };
    const verdict = judgeCommand(emptyFence, rejoin);
    if (!verdict.ok) throw new Error(verdict.detail);
    expect(verdict.record.standing.kind).toBe("none");
    const refused = recordOutcome(verdict.record, rejoin, { status: "refused", code: "not-ours", detail: "" });
    expect(refused.standing.kind).toBe("none");
    const done = recordOutcome(verdict.record, rejoin, { status: "done", data: {} });
    expect(done.standing).toEqual({ kind: "standby", primary: endpoint, fits: true });
  });

  it("refuses to put an older configuration in force, also under a higher epoch", () => {
    const { records } = replay([
      {
        grant: { ...grantOf(1, "one", 0), configVersion: 3 },
        verb: { verb: "postgres.learn", args: { configurations: [configOf(1, 3)] } },
      },
    ]);
    const older = judgeCommand(records.at(-1) as FenceRecord, {
      grant: { ...grantOf(2, "two", 0), configVersion: 2 },
      verb: { verb: "postgres.regrant", args: { configuration: configOf(2, 2), peers: [] } },
    });
    expect(older).toMatchObject({ ok: false, code: "stale-configuration" });
  });

  it("adds a single configuration to what it knows, and lets a whole list replace the versions it covers", () => {
    const { records } = replay([
      {
        grant: grantOf(1, "one", 0),
        verb: { verb: "postgres.initialize", args: { configuration: configOf(1, 1), peers: [] } },
      },
      {
        grant: { ...grantOf(1, "one", 1), configVersion: 2 },
        verb: { verb: "postgres.configure", args: { configuration: configOf(1, 2), leaving: [], peers: [] } },
      },
    ]);
    expect(records.at(-1)?.configurations.map((item) => item.version)).toEqual([1, 2]);
    const told = judgeCommand(records.at(-1) as FenceRecord, {
      grant: { ...grantOf(1, "one", 2), configVersion: 2 },
      verb: { verb: "postgres.learn", args: { configurations: [configOf(1, 2)] } },
    });
    expect(told.ok && told.record.configurations.map((item) => item.version)).toEqual([2]);
  });
});

function grantOf(epoch: number, intentId: string, step: number): Grant {
  return { epoch, intentId, step, configVersion: epoch };
}

function configOf(epoch: number, version: number): SyncConfiguration {
  return { epoch, version, k: 1, members: ["pg-b", "pg-c"] };
}
