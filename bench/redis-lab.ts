import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ApiClient } from "../demo/api-client.ts";
import { ControlPlaneProcess } from "../demo/control-plane.ts";
import { makeFolder, makeTemporaryFolder } from "../demo/folder.ts";
import { endLeftovers } from "../demo/leftovers.ts";
import { RedisFleet } from "../demo/redis/fleet.ts";
import { ensureRedis } from "../demo/redis/install.ts";
import { planRedis, type RedisNodePlan, type RedisShape } from "../demo/redis/plan.ts";
import { planTopology } from "../demo/topology.ts";
import { runSetup } from "../scripts/setup.js";
import { untilSignalled } from "./signals.ts";

/** A control plane and a Redis of its own, without the rest of the demo. */
export interface RedisLab {
  readonly controlPlane: ControlPlaneProcess;
  readonly api: ApiClient;
  readonly fleet: RedisFleet;
  readonly plans: readonly RedisNodePlan[];
  readonly binDir: string;
  readonly folder: string;
}

export interface RedisLabOptions {
  readonly port: number;
  readonly shape: RedisShape;
  /** Data and logs are kept there; null: a temporary folder, removed afterwards. */
  readonly folder: string | null;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Builds what is missing, starts the lab, does the work with it and ends every process again, also after a failure or a signal. */
export async function withRedisLab<T>(options: RedisLabOptions, work: (lab: RedisLab) => Promise<T>): Promise<T> {
  const say = (line: string) => console.log(`  ${line}`);
  const binDir = ensureRedis(say);
  await runSetup(say);
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const base = options.folder ?? makeTemporaryFolder("holdfast-redis-");
  const folder = join(base, "lab");
  endLeftovers(folder);
  rmSync(folder, { recursive: true, force: true });
  makeFolder(folder);
  const topology = planTopology(folder, options.port);
  makeFolder(topology.serverFolder);
  const controlPlane = new ControlPlaneProcess(topology, root, "no-supervisor-here");
  const plans = planRedis(folder, options.port, topology.server, options.shape);
  const fleet = new RedisFleet({
    plans,
    shape: options.shape,
    binDir: () => binDir,
    agentScript: join(root, "dist", "agent.js"),
    keep: false,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
  });
  const ending = untilSignalled();
  const begin = async (): Promise<T> => {
    await controlPlane.start();
    await fleet.start(controlPlane.api);
    return work({ controlPlane, api: controlPlane.api, fleet, plans, binDir, folder });
  };
  try {
    return await Promise.race([begin(), ending]);
  } finally {
    await fleet.stop();
    await controlPlane.stop();
    endLeftovers(folder);
    if (options.folder === null) rmSync(base, { recursive: true, force: true });
  }
}
