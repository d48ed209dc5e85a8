// `npm run bench:ring`: slots of a real Redis Cluster moved under live clients, ours and `redis-cli --cluster rebalance` in the same run; and the ring
// library beside the theoretical minimum and npm's hashring.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pollUntil } from "../../demo/poll.ts";
import { ClientLoad, type LoadOutcome } from "../../demo/redis/client-load.ts";
import { inClusterOrder } from "../../demo/redis/plan.ts";
import { readCommand, readWhole } from "../../scripts/command-line.ts";
import type { LastMigration } from "../../server/core/index.ts";
import type { RedisPlanView, RedisView } from "../../server/protocol/index.ts";
import { runMain } from "../demo-run.ts";
import { type RedisLab, withRedisLab } from "../redis-lab.ts";
import { measureLibrary } from "./library.ts";

interface MoveFigures extends LoadOutcome {
  readonly slotsMoved: number;
  readonly ms: number;
  /** Of the clients, while slots moved. */
  readonly operationsPerSecond: number;
  /** Slots of the fullest master over the mean, afterwards. */
  readonly finalBalance: number;
}

const usage = `npm run bench:ring -- [--keys N] [--lanes N] [--crash] [--port N] [--folder DIR] [--json]
  --keys N       counters, each with a text beside it (default 20000)
  --lanes N      clients at work while slots move (default 8)
  --crash        also: kill the control plane, and a master, in the middle of a move
  --port N       uses ports N to N+69 and, for the cluster's bus, N+10064 to N+10069 (default 7700)
  --json         last line: slotsMoved, ms, clientErrors, keysLost, keysDoubled, worstMs and operationsPerSecond of the move;
                 balance, movementRatio and lookupsPerSecond of the ring; the same of redis-cli and hashring under "peer"`;
const moveDeadlineMs = 300_000;

function readOptions() {
  return readCommand(
    usage,
    {
      keys: { type: "string", default: "20000" },
      lanes: { type: "string", default: "8" },
      port: { type: "string", default: "7700" },
      folder: { type: "string" },
      crash: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
    (values) => ({
      keys: readWhole("--keys", values.keys, 1, 100_000_000),
      lanes: readWhole("--lanes", values.lanes, 1, 1_000),
      port: readWhole("--port", values.port, 1_024, 65_000),
      folder: values.folder ?? null,
      crash: values.crash,
      json: values.json,
    }),
  );
}

/** Begins a move and waits for its end; a control plane that is away for a moment is waited for. */
async function move(
  lab: RedisLab,
  wish: { migration: string; weights?: Record<string, number> },
  during: () => Promise<void> = async () => undefined,
): Promise<LastMigration> {
  const path = `redis/${lab.fleet.cluster}`;
  const plan = await lab.api.post<RedisPlanView>(`${path}/plan`, wish);
  const begun = await lab.api.post<{ migration: string }>(`${path}/migrations`, {
    ...wish,
    planHash: plan.planHash,
    reason: "measurement",
    confirm: lab.fleet.cluster,
  });
  await during();
  return pollUntil(
    `The end of ${begun.migration}`,
    moveDeadlineMs,
    async () => {
      const view = await lab.api.get<RedisView>(path);
      if (view.lastMigration?.id === begun.migration) return view.lastMigration;
      const at = view.migration;
      throw new Error(`${at?.slotsMoved} of ${at?.slotsTotal} slots, ${at?.lastFailure?.detail ?? "no failure"}`);
    },
    10,
  );
}

async function finalBalance(lab: RedisLab): Promise<number> {
  return pollUntil("Statuses of after the move", 10_000, async () => {
    const view = await lab.api.get<RedisView>(`redis/${lab.fleet.cluster}`);
    const counts = view.members.flatMap((member) =>
      member.role === "master" && member.shard !== null ? [member.shard.slotCount] : [],
    );
    const sum = counts.reduce((total, count) => total + count, 0);
    if (sum !== 16_384) throw new Error(`${sum} slots`);
    return Math.round((Math.max(...counts) * counts.length * 1_000) / sum) / 1_000;
  });
}

async function measured(
  lab: RedisLab,
  load: ClientLoad,
  lanes: number,
  work: () => Promise<{ slots: number; ms: number }>,
): Promise<MoveFigures> {
  load.start(lanes);
  const { slots, ms } = await work();
  await load.stop();
  const outcome = await load.audit();
  const operationsPerSecond = Math.round((outcome.operations * 1_000) / Math.max(1, ms));
  return { slotsMoved: slots, ms, finalBalance: await finalBalance(lab), operationsPerSecond, ...outcome };
}

async function ours(lab: RedisLab, during?: () => Promise<void>): Promise<{ slots: number; ms: number }> {
  const startedAt = performance.now();
  const ended = await move(lab, { migration: "rebalance" }, during);
  if (ended.phase !== "done") throw new Error(`The move ended ${ended.phase}: ${ended.failure?.detail ?? ""}`);
  return { slots: ended.slotsMoved, ms: Math.round(performance.now() - startedAt) };
}

/** What the same tool of every operator does, with its own defaults. */
async function theirs(lab: RedisLab): Promise<{ slots: number; ms: number }> {
  const [first] = inClusterOrder(lab.plans);
  if (first === undefined) throw new Error("invariant: the lab has servers");
  const startedAt = performance.now();
  const output = await run(join(lab.binDir, "redis-cli"), [
    "--cluster",
    "rebalance",
    `${first.host}:${first.port}`,
    "--cluster-threshold",
    "1",
  ]);
  const ms = Math.round(performance.now() - startedAt);
  const moving = [...output.matchAll(/Moving (\d+) slots/g)].reduce((sum, match) => sum + Number(match[1]), 0);
  return { slots: moving, ms };
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer) => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program} ended with code ${code}: ${output.slice(-500)}`)),
    );
  });
}

/** One master has three times the slots of each other: what a rebalance finds after two nodes were added. */
async function skew(lab: RedisLab): Promise<void> {
  const [first] = inClusterOrder(lab.plans);
  const names = lab.plans.map((plan) => plan.redis[0]?.instance ?? "");
  const weights = Object.fromEntries(names.map((name) => [name, name === first?.instance ? 3 : 1]));
  await move(lab, { migration: "rebalance", weights });
}

async function measure(lab: RedisLab, options: ReturnType<typeof readOptions>) {
  const servers = inClusterOrder(lab.plans).map(({ host, port }) => ({ host, port }));
  const load = new ClientLoad(servers, servers, options.keys);
  try {
    console.log(`  Writing ${options.keys} counters and texts`);
    await load.fill();
    await skew(lab);
    console.log("  Ours: rebalance under load");
    const own = await measured(lab, load, options.lanes, () => ours(lab));
    console.log(`    ${JSON.stringify(own)}`);
    const back = await move(lab, { migration: "reverse" });
    console.log(`  Back again (${back.slotsMoved} slots); redis-cli --cluster rebalance under the same load`);
    const peer = await measured(lab, load, options.lanes, () => theirs(lab));
    console.log(`    ${JSON.stringify(peer)}`);
    const crashes = options.crash ? await measureCrashes(lab, load, options.lanes) : null;
    return { own, peer, crashes };
  } finally {
    load.close();
  }
}

/** The same move, with the control plane killed in its middle, and then with a master killed. */
async function measureCrashes(lab: RedisLab, load: ClientLoad, lanes: number) {
  await skew(lab);
  console.log("  Ours, the control plane killed in the middle");
  const control = await measured(lab, load, lanes, () =>
    ours(lab, async () => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      lab.controlPlane.kill();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await lab.controlPlane.start();
    }),
  );
  console.log(`    ${JSON.stringify(control)}`);
  await skew(lab);
  console.log("  Ours, the node of the giving master killed in the middle");
  const victim = lab.fleet.nodes[0];
  const master = await measured(lab, load, lanes, () =>
    ours(lab, async () => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      victim?.kill();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      victim?.startAgent();
    }),
  );
  console.log(`    ${JSON.stringify(master)}`);
  return { controlPlaneKilled: control, masterKilled: master };
}

/** Numbers for the last line; what a client was told when something failed is for reading. */
function figuresOf(whose: string, { firstErrors, ...figures }: MoveFigures) {
  for (const message of firstErrors) console.log(`  client error (${whose}): ${message}`);
  return figures;
}

async function main(): Promise<number> {
  const options = readOptions();
  const { own, peer, crashes } = await withRedisLab(
    { port: options.port, shape: "cluster", folder: options.folder, settings: { maxmemory: "256mb" } },
    (lab) => measure(lab, options),
  );
  console.log("  The ring library beside hashring (about half a minute)");
  const { peer: libraryPeer, ...library } = measureLibrary();
  const result = {
    ...figuresOf("ours", own),
    ...library,
    // Slots beside redis-cli, the library beside npm's hashring; `k mod n` for scale.
    peer: { ...figuresOf("redis-cli", peer), ...libraryPeer.hashring },
    modulo: libraryPeer.modulo,
    ...(crashes === null ? {} : { crashes }),
  };
  if (options.json) console.log(JSON.stringify(result));
  return own.clientErrors + own.keysLost + own.keysDoubled === 0 ? 0 : 1;
}

await runMain(main);
