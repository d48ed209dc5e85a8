import { beforeEach, expect, it } from "vitest";
import { applyWrites, createState, decide, defaultPolicy, type Incident, type State } from "../../core/index.ts";
import { makePeriods, makeWindow } from "../../core/localization/synthetic-window.ts";
import type { TelemetryWindow } from "../../core/localization/telemetry.ts";
import type { RecoveryOutcome } from "../../ports/service-supervisor.ts";
import { createMemoryStores, type MemoryStores } from "../../store/index.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { ControlLoop } from "../loop.ts";
import { LiveTelemetry } from "../telemetry/telemetry-store.ts";
import { ServiceWatch } from "./service-watch.ts";

const subject = { kind: "service", id: "orders" } as const;

/** Its recovery was asked for, and a supervisor outside is to carry it out. */
const incident: Incident = {
  id: "INC-1",
  phase: "open",
  severity: 3,
  openedAt: 1,
  beganAt: 1,
  acknowledgedAt: null,
  acknowledgedBy: null,
  mitigatedAt: null,
  resolvedAt: null,
  closedAt: null,
  cluster: null,
  cause: {
    kind: "service-degraded",
    class: "unknown",
    subject,
    cluster: null,
    confidence: 1,
    evidence: [],
    sinceWallMs: 1,
  },
  symptoms: [],
  suspects: [],
  impact: {
    writesUnavailableFrom: null,
    writesUnavailableTo: null,
    writesUnavailableMs: null,
    acknowledgedLost: null,
    acknowledged: null,
    redundancyReducedFrom: null,
    redundancyReducedTo: null,
  },
  actionIds: [],
  lastSignalAt: 1,
  follows: null,
  localization: null,
  recovery: {
    action: "restart-service",
    service: "orders",
    state: "requested",
    automatic: false,
    reason: "",
    by: "Ada",
    requestedAt: 5,
    endedAt: null,
    detail: null,
    work: null,
  },
};

let stores: MemoryStores;
let clock: FakeClock;
/** How often the supervisor was asked to act, and how to let it answer. */
let acts: number;
let answer: (outcome: RecoveryOutcome) => void;

/** The periods that the localizer left out, by question about `INC-1`. */
let asked: (readonly (readonly [number, number])[])[];

/** What the telemetry shows, and how often the localizer had something new to say. */
let seen: TelemetryWindow | null;
let answers: number;

/** One process: a loop and its watch. */
async function start(): Promise<{ readonly state: State; stop(): Promise<void> }> {
  const state = createState(defaultPolicy);
  const loop: ControlLoop = new ControlLoop({
    state,
    core: { decide, applyWrites },
    store: stores.store,
    clock,
    link: {
      send: () => true,
      acknowledge: () => {},
      renewLease: () => {},
      drop: () => {},
      refreshPeers: () => {},
    },
    owner: "test",
    policyOverrides: {},
    publish: ({ durable, touched }) => durable && watch.noteCommit(touched),
    onConflict: () => {},
    log: () => {},
  });
  const telemetry = new LiveTelemetry(clock);
  telemetry.window = (_faultTimeS, options) => {
    asked.push(options?.exclude ?? []);
    return seen;
  };
  const watch = new ServiceWatch({
    state,
    clock,
    telemetry,
    supervisor: {
      can: () => false,
      act: () => {
        acts += 1;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    },
    post: (event) => {
      if (event.kind === "fault-localized") answers += 1;
      return loop.post(event);
    },
    log: () => {},
  });
  await loop.start();
  watch.start();
  return {
    state,
    stop: async () => {
      watch.stop();
      const stopped = loop.stop();
      await clock.advance(100);
      await stopped;
    },
  };
}

/** How much of the normal operation before the incident the localizer was told to leave out, seconds. */
async function leftOut(other: Partial<Incident>): Promise<number> {
  const epoch = await stores.store.lead("test");
  const open = { ...incident, recovery: null, beganAt: clock.wallMs(), openedAt: clock.wallMs() };
  const beside = { ...open, id: "INC-2", ...other };
  for (const value of [open, beside]) await stores.store.commit(epoch, [{ kind: "put-incident", value }]);
  const { stop } = await start();
  await clock.advance(1_500);
  await stop();
  return (asked[0] ?? []).reduce((sum, [from, to]) => sum + to - from, 0);
}

const recoveryOf = (state: State) => state.durable.incidents.get("INC-1")?.recovery;

beforeEach(async () => {
  stores = createMemoryStores();
  clock = new FakeClock();
  acts = 0;
  asked = [];
  seen = null;
  answers = 0;
  const epoch = await stores.store.lead("test");
  await stores.store.commit(epoch, [{ kind: "put-incident", value: incident }]);
});

async function entriesOf(kind: string): Promise<number> {
  const entries = await stores.reads.timeline("INC-1");
  return entries.filter((entry) => entry.kind === kind).length;
}

it("acts once, and says what came of it until the store has it: an outage neither loses nor doubles anything", async () => {
  const { state, stop } = await start();
  await clock.advance(1_000);
  expect(acts).toBe(1);
  stores.faults.available = false;
  answer({ ok: true, detail: "started" });
  await clock.advance(30_000);
  expect(recoveryOf(state)?.state).toBe("requested");
  stores.faults.available = true;
  await clock.advance(5_000);
  expect(acts).toBe(1);
  expect(recoveryOf(state)).toMatchObject({ state: "done", detail: "started" });
  expect(await entriesOf("restart-service-done")).toBe(1);
  await stop();
});

it("takes up what was asked for and not ended when it is started again, and tells one outcome", async () => {
  const first = await start();
  await clock.advance(1_000);
  await first.stop();
  const second = await start();
  await clock.advance(1_000);
  expect(acts).toBe(2);
  answer({ ok: false, detail: "no such release" });
  await clock.advance(5_000);
  expect(recoveryOf(second.state)).toMatchObject({ state: "failed", detail: "no such release" });
  expect(acts).toBe(2);
  expect(await entriesOf("restart-service-failed")).toBe(1);
  await second.stop();
});

it("leaves alone what the loop carries out itself", async () => {
  const epoch = await stores.store.lead("test");
  const recovery = {
    ...(incident.recovery as NonNullable<Incident["recovery"]>),
    work: { kind: "change", id: "CHG-9" },
  };
  await stores.store.commit(epoch, [{ kind: "put-incident", value: { ...incident, recovery } as Incident }]);
  const { stop } = await start();
  await clock.advance(3_000);
  expect(acts).toBe(0);
  await stop();
});

it("leaves an incident its normal operation, however long others have been open", async () => {
  const hourAgo = clock.wallMs() - 3_600_000;
  expect(await leftOut({ beganAt: hourAgo })).toBe(0);
});

it("leaves out the seconds of a fault that was over before", async () => {
  const from = clock.wallMs() - 600_000;
  expect(await leftOut({ beganAt: from, resolvedAt: from + 60_000, phase: "resolved" })).toBe(75);
});

it("says the same answer once, also beside a recovery that is not the localizer's idea", async () => {
  seen = makeWindow(
    makePeriods({
      shop: { requests: [100, 100], error_percent: [0, 30], latency_mean: [0.1, 0.1] },
      pay: { requests: [50, 50], error_percent: [0, 60], latency_mean: [0.05, 0.05] },
    }),
  );
  const epoch = await stores.store.lead("test");
  const at = clock.wallMs();
  const open: Incident = { ...incident, recovery: null, beganAt: at, openedAt: at };
  await stores.store.commit(epoch, [{ kind: "put-incident", value: open }]);
  const { state, stop } = await start();
  await clock.advance(1_000);
  expect(answers).toBe(1);
  const known = state.durable.incidents.get("INC-1") as Incident;
  const offer = { action: "switch-over", service: "orders", leaves: "pg-a", state: "done" } as const;
  state.durable.incidents.set("INC-1", { ...known, recovery: { ...incident.recovery, ...offer } as never });
  await clock.advance(20_000);
  expect(answers).toBe(1);
  await stop();
});
