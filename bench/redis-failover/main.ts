// `npm run bench:redis-failover`: the master of a real replica set is killed, or stopped and continued; Holdfast and a tuned Sentinel over the same
// servers, in the same run.
import type { PortAddress } from "../../demo/network/silent-ports.ts";
import { pollUntil } from "../../demo/poll.ts";
import { readCommand, readWhole } from "../../scripts/command-line.ts";
import type { RedisView } from "../../server/protocol/index.ts";
import { runMain } from "../demo-run.ts";
import { type RedisLab, withRedisLab } from "../redis-lab.ts";
import { SentinelSet } from "./sentinel.ts";
import { countMissing, RovingWriter, StayingWriter } from "./writers.ts";

const usage = `npm run bench:redis-failover -- [--runs N] [--json]
  --runs N       of each fault, on either side (default 2)
  --port N       uses ports N to N+75 (default 7700)
  --folder DIR   keep data and logs there
  --json         the last line is one object`;

type Fault = "crash" | "freeze";

/** What is measured needs only this of either side. */
export interface Contender {
  readonly servers: readonly PortAddress[];
  findMaster(): Promise<PortAddress>;
  kill(master: PortAddress): void;
  freeze(master: PortAddress): void;
  thaw(master: PortAddress): void;
  /** Everything is started again and follows. */
  restore(master: PortAddress): Promise<void>;
}

interface Outcome {
  readonly fault: Fault;
  readonly firstWriteMs: number | null;
  /** Acknowledged by `WAIT 1` and gone. */
  readonly lostWithWait: number;
  /** Acknowledged without `WAIT` and gone. */
  readonly lostWithoutWait: number;
  /** Of these: acknowledged by the old master after it woke up. */
  readonly byResumedMaster: number;
  readonly acknowledged: number;
}

const frozenMs = 8_000;
const warmUpMs = 1_000;
const afterMs = 2_500;
const giveUpMs = 30_000;

async function measure(contender: Contender, fault: Fault, round: string): Promise<Outcome> {
  const master = await contender.findMaster();
  const waiting = new RovingWriter(`${round}:wait`, contender.servers, 1);
  const plain = new RovingWriter(`${round}:plain`, contender.servers, 0);
  const staying = [0, 1, 2, 3].map((lane) => new StayingWriter(`${round}:stay${lane}`, master));
  const writers = [waiting, plain, ...staying];
  for (const writer of writers) writer.start();
  await sleep(warmUpMs);
  const faultMs = performance.now();
  if (fault === "crash") contender.kill(master);
  else contender.freeze(master);
  const isBack = () => waiting.acknowledged.find(({ atMs, port }) => atMs > faultMs && port !== master.port);
  const deadline = performance.now() + giveUpMs;
  while (isBack() === undefined && performance.now() < deadline) await sleep(5);
  const back = isBack();
  let resumedMs = Number.POSITIVE_INFINITY;
  if (fault === "freeze") {
    await sleep(Math.max(0, frozenMs - (performance.now() - faultMs)));
    resumedMs = performance.now();
    contender.thaw(master);
  }
  await sleep(afterMs);
  await Promise.all([waiting.stop(), plain.stop()]);
  for (const writer of staying) writer.stop();
  if (fault === "crash") await contender.restore(master);
  await sleep(1_000);
  const current = await contender.findMaster();
  const stayed = staying.flatMap((writer) => writer.acknowledged);
  const outcome: Outcome = {
    fault,
    firstWriteMs: back === undefined ? null : Math.round(back.atMs - faultMs),
    lostWithWait: await countMissing(current, waiting.acknowledged),
    lostWithoutWait: await countMissing(current, [...plain.acknowledged, ...stayed]),
    byResumedMaster: stayed.filter(({ atMs }) => atMs > resumedMs).length,
    acknowledged: waiting.acknowledged.length + plain.acknowledged.length + stayed.length,
  };
  await contender.restore(master);
  return outcome;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function ours(lab: RedisLab): Contender {
  const servers = lab.plans.flatMap((plan) => plan.redis.map(({ host, port }) => ({ host, port })));
  const nodeOf = (master: PortAddress) =>
    lab.fleet.nodes[lab.plans.findIndex((plan) => plan.redis.some(({ port }) => port === master.port))];
  return {
    servers,
    async findMaster() {
      const view = await pollUntil("A primary", 20_000, async () => {
        const seen = await lab.api.get<RedisView>(`redis/${lab.fleet.cluster}`);
        return seen.members.find(({ id, role }) => id === seen.primary && role === "master") ?? null;
      });
      return { host: view.host, port: view.port };
    },
    kill: (master) => void nodeOf(master)?.kill(),
    freeze: (master) => void nodeOf(master)?.freeze(),
    thaw: (master) => nodeOf(master)?.thaw(),
    async restore(master) {
      nodeOf(master)?.startAgent();
      await lab.fleet.waitUntilWhole(lab.api);
    },
  };
}

async function main(): Promise<number> {
  const { runs, port, folder, json } = readCommand(
    usage,
    {
      runs: { type: "string", default: "2" },
      port: { type: "string", default: "7700" },
      folder: { type: "string" },
      json: { type: "boolean", default: false },
    },
    (values) => ({
      runs: readWhole("--runs", values.runs, 1, 10_000),
      port: readWhole("--port", values.port, 1_024, 65_000),
      folder: values.folder ?? null,
      json: values.json,
    }),
  );
  const faults: readonly Fault[] = ["crash", "freeze"];
  const outcomes = await withRedisLab({ port, shape: "replica-set", folder }, async (lab) => {
    const own: Outcome[] = [];
    const peer: Outcome[] = [];
    const tell = (who: string, outcome: Outcome) => console.log(`  ${who} ${JSON.stringify(outcome)}`);
    for (let run = 0; run < runs; run += 1) {
      for (const fault of faults) {
        const outcome = await measure(ours(lab), fault, `own${run}${fault}`);
        own.push(outcome);
        tell("holdfast", outcome);
      }
    }
    const sentinel = await SentinelSet.start(lab.binDir, `${lab.folder}/sentinel`, port + 70);
    try {
      for (let run = 0; run < runs; run += 1) {
        for (const fault of faults) {
          const outcome = await measure(sentinel, fault, `peer${run}${fault}`);
          peer.push(outcome);
          tell("sentinel", outcome);
        }
      }
    } finally {
      sentinel.stop();
    }
    return { own, peer };
  });
  const result = { ...summarise(outcomes.own), runs: runs * faults.length, peer: summarise(outcomes.peer) };
  if (json) console.log(JSON.stringify(result));
  return outcomes.own.some(({ lostWithWait, firstWriteMs }) => lostWithWait > 0 || firstWriteMs === null) ? 1 : 0;
}

function summarise(outcomes: readonly Outcome[]) {
  const of = (fault: Fault) => {
    const times = outcomes.flatMap((each) =>
      each.fault === fault && each.firstWriteMs !== null ? [each.firstWriteMs] : [],
    );
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? null;
  };
  const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, each) => total + pick(each), 0);
  return {
    crashMs: of("crash"),
    freezeMs: of("freeze"),
    lostWithWait: sum((each) => each.lostWithWait),
    lostWithoutWait: sum((each) => each.lostWithoutWait),
    byResumedMaster: sum((each) => each.byResumedMaster),
    stuck: outcomes.filter((each) => each.firstWriteMs === null).length,
  };
}

await runMain(main);
