import * as z from "zod/mini";
import { limits } from "../../server/protocol/limits.ts";
import { verbNames } from "../commands/schemas.ts";
import { telemetryShape } from "./telemetry-schema.ts";

/** The shape of `agent.yaml`; docs/configuration.md explains it. Unknown keys are errors: a misspelt safety setting must not be ignored. */

const nodeName = z.string().check(z.regex(/^[a-z0-9-]{1,40}$/, "use 1 to 40 of a–z, 0–9 and - for a node's name"));
const port = z.int().check(z.gte(1), z.lte(65_535));
const host = z.string().check(z.regex(/^[A-Za-z0-9._:-]{1,253}$/, "use a host name or an address"));
const seconds = z.number().check(z.gte(1), z.lte(86_400));
const argv = z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.maxLength(32));
const name = z.string().check(z.minLength(1), z.maxLength(limits.maxNameLength));

const runAs = z.union([name, z.strictObject({ uid: z.int().check(z.gte(1)), gid: z.int().check(z.gte(1)) })]);

const start = z.union([
  z.literal("agent"),
  /** `systemctl start <unit>`, `systemctl stop <unit>`. */
  z.strictObject({ unit: z.string().check(z.regex(/^[A-Za-z0-9@._-]{1,100}$/, "use a systemd unit name")) }),
  /** Fixed argument vectors of any other service manager. */
  z.strictObject({ command: z.strictObject({ start: argv, stop: argv }) }),
]);

const postgres = z.strictObject({
  kind: z.literal("postgres"),
  cluster: nodeName,
  host: z._default(host, "127.0.0.1"),
  port,
  binDir: z.string(),
  dataDir: z.string(),
  user: z._default(name, "holdfast"),
  password: z.optional(z.string()),
  passwordFile: z.optional(z.string()),
  start: z._default(start, "agent"),
  runAs: z.optional(runAs),
  initialize: z._default(z.boolean(), false),
  /** Lets changes run statements here by `PREPARE TRANSACTION`. */
  sqlChanges: z._default(z.boolean(), false),
  /** Resets this machine when an asynchronous primary would outlive its lease. */
  watchdog: z.optional(
    z.strictObject({
      device: z._default(
        z.string().check(z.regex(/^\//, "use the path of a device, such as /dev/watchdog")),
        "/dev/watchdog",
      ),
      /** Read from the kernel when left out. */
      timeoutMs: z.optional(z.int().check(z.gte(1_000), z.lte(300_000))),
    }),
  ),
  advertise: z.optional(z.strictObject({ host: z.optional(host), port: z.optional(port) })),
  authentication: z._default(z.enum(["scram-sha-256", "trust"]), "scram-sha-256"),
  allowFrom: z._default(
    z.array(
      z.string().check(z.regex(/^[A-Za-z0-9./:_-]{1,80}$/, "use an address with mask, samenet, samehost or all")),
    ),
    ["samenet"],
  ),
  databases: z._default(
    z.array(z.strictObject({ name, owner: name, password: z.optional(z.string()) })).check(z.maxLength(16)),
    [],
  ),
  settings: z._default(
    z.record(
      z.string().check(z.regex(/^[a-z_][a-z0-9_.]{0,62}$/, "use the name of a PostgreSQL setting")),
      z.union([z.string(), z.number(), z.boolean()]),
    ),
    {},
  ),
});

const milliseconds = z.int().check(z.gte(100), z.lte(600_000));
const healthBase = { everyMs: z._default(milliseconds, 1_000), timeoutMs: z._default(milliseconds, 2_000) };

/** A plain service with releases: `<dir>/releases/<version>/` and the switch `<dir>/current`. */
const program = z.strictObject({
  name: nodeName,
  dir: z.string().check(z.minLength(1)),
  /** Run in `current`, without a shell. */
  command: z.optional(argv),
  /** Or a unit of systemd that runs what is in `current`. */
  unit: z.optional(z.string().check(z.regex(/^[A-Za-z0-9@._-]{1,100}$/, "use a systemd unit name"))),
  environment: z._default(z.record(z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), z.string()), {}),
  health: z.optional(
    z.union([
      z.strictObject({
        ...healthBase,
        url: z.string().check(z.regex(/^https?:\/\//, "use an http:// or https:// URL")),
      }),
      z.strictObject({ ...healthBase, host: z._default(host, "127.0.0.1"), port }),
    ]),
  ),
  runAs: z.optional(runAs),
  startWithinMs: z._default(milliseconds, 15_000),
  stopWithinMs: z._default(milliseconds, 5_000),
  files: z._default(
    z
      .array(
        z.strictObject({
          name: z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "use a plain file name")),
          path: z.string().check(z.minLength(1)),
          check: z.optional(argv),
          reload: z._default(
            z.union([
              z.literal("restart"),
              z.strictObject({ signal: z.enum(["SIGHUP", "SIGUSR1", "SIGUSR2"]) }),
              z.strictObject({ command: argv }),
            ]),
            "restart",
          ),
        }),
      )
      .check(z.maxLength(16)),
    [],
  ),
});

const redis = z.strictObject({
  kind: z.literal("redis"),
  cluster: nodeName,
  /** Name of the server within its cluster; the node's own when left out. */
  instance: z.optional(nodeName),
  mode: z._default(z.enum(["replica-set", "cluster"]), "replica-set"),
  host: z._default(host, "127.0.0.1"),
  port,
  user: z.optional(name),
  password: z.optional(z.string()),
  passwordFile: z.optional(z.string()),
  advertise: z.optional(z.strictObject({ host: z.optional(host), port: z.optional(port) })),
  /** The agent starts and stops the server. Without it, it only talks to one that something else runs. */
  managed: z.optional(
    z.strictObject({
      binDir: z._default(z.string(), "/usr/bin"),
      dir: z.string(),
      runAs: z.optional(runAs),
      initialize: z._default(z.boolean(), false),
      settings: z._default(
        z.record(
          z.string().check(z.regex(/^[a-z][a-z0-9-]{0,62}$/, "use the name of a Redis setting")),
          z.union([z.string(), z.number(), z.boolean()]),
        ),
        {},
      ),
    }),
  ),
});

const checkBase = {
  name,
  /** The node the check looks at; this one when left out. */
  subject: z.optional(nodeName),
  everySeconds: z._default(seconds, 5),
  timeoutMs: z._default(z.int().check(z.gte(10), z.lte(60_000)), 2_000),
};

const check = z.discriminatedUnion("kind", [
  z.strictObject({ ...checkBase, kind: z.literal("tcp"), host, port }),
  z.strictObject({
    ...checkBase,
    kind: z.literal("http"),
    url: z.string().check(z.regex(/^https?:\/\//, "use an http:// or https:// URL")),
    status: z._default(z.int().check(z.gte(100), z.lte(599)), 200),
    contains: z.optional(z.string()),
  }),
  z.strictObject({
    ...checkBase,
    kind: z.literal("sql"),
    host,
    port,
    user: name,
    password: z.optional(z.string()),
    database: z._default(name, "postgres"),
    query: z._default(z.string(), "SELECT 1"),
    /** First column of the first row, as text, when it matters. */
    expect: z.optional(z.string()),
  }),
  z.strictObject({
    ...checkBase,
    kind: z.literal("process"),
    pidFile: z.optional(z.string()),
    /** The process's own name, of which the kernel keeps 15 characters; the check's name when left out. */
    command: z.optional(name),
  }),
  z.strictObject({
    ...checkBase,
    kind: z.literal("file"),
    path: z.string(),
    maxAgeSeconds: z.optional(seconds),
    minFreeBytes: z.optional(z.int().check(z.gte(0))),
    writable: z._default(z.boolean(), false),
  }),
]);

const fencingHook = z.strictObject({
  node: nodeName,
  command: argv,
  timeoutMs: z._default(z.int().check(z.gte(100), z.lte(600_000)), 20_000),
});

type ServiceFile = z.infer<typeof postgres> | z.infer<typeof redis>;

/** What one agent promises, it promises for a cluster: two members of a replica set would share it. */
function isAlone(service: ServiceFile, all: readonly ServiceFile[]): boolean {
  const sharing = all.filter((other) => other.cluster === service.cluster);
  return sharing.length === 1 || sharing.every((other) => other.kind === "redis" && other.mode === "cluster");
}

export const agentConfigSchema = z.strictObject({
  node: nodeName,
  server: z.string().check(z.regex(/^wss?:\/\/[^\s/]+/, "use a ws:// or wss:// URL")),
  allowInsecure: z._default(z.boolean(), false),
  serverKey: z.optional(z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/, "use an Ed25519 public key in base64url"))),
  token: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  tokenFile: z.optional(z.string()),
  zone: z._default(name, "default"),
  labels: z._default(z.record(name, z.string().check(z.maxLength(200))), {}),
  stateDir: z.string().check(z.minLength(1)),
  listen: z.optional(z.strictObject({ host: z._default(host, "127.0.0.1"), port })),
  allow: z.optional(z.array(z.enum(verbNames as [string, ...string[]]))),
  programs: z._default(z.array(program).check(z.maxLength(limits.maxPrograms)), []),
  services: z._default(
    z.array(z.discriminatedUnion("kind", [postgres, redis])).check(
      z.maxLength(limits.maxRedisServers + 1),
      z.refine(
        (services) => services.filter((service) => service.kind === "postgres").length <= 1,
        "one PostgreSQL service an agent",
      ),
      z.refine(
        (services) => services.every((service) => isAlone(service, services)),
        "one member of a Redis replica set an agent: its promise is the agent's own",
      ),
    ),
    [],
  ),
  checks: z._default(z.array(check).check(z.maxLength(limits.maxChecks)), []),
  peers: z._default(
    z.array(z.strictObject({ node: nodeName, cluster: nodeName, host, port })).check(z.maxLength(limits.maxPeers)),
    [],
  ),
  stopWithAgent: z._default(z.boolean(), false),
  /** How other nodes are cut off for good: a fixed command each, which the control plane may ask for by the node's name alone. */
  fencing: z._default(z.array(fencingHook).check(z.maxLength(limits.maxPeers)), []),
  ...telemetryShape,
  spool: z._default(
    z.strictObject({
      maxBytes: z._default(z.int().check(z.gte(65_536)), 64 * 1024 * 1024),
      maxRecords: z._default(z.int().check(z.gte(100)), 200_000),
    }),
    { maxBytes: 64 * 1024 * 1024, maxRecords: 200_000 },
  ),
});

export type AgentConfigFile = z.infer<typeof agentConfigSchema>;
export type CheckConfig = z.infer<typeof check>;
export type ProgramConfigFile = z.infer<typeof program>;
export type PostgresConfigFile = z.infer<typeof postgres>;
export type RedisConfigFile = z.infer<typeof redis>;
