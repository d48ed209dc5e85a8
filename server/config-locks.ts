import * as z from "zod/mini";
import { ConfigError } from "./config-error.ts";
import type { LockProviderConfig } from "./locks/index.ts";

const name = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be small letters, digits and -"));
const sessionTimeoutMs = z.optional(z.int().check(z.gte(1_000), z.lte(120_000)));

export const lockProvidersSchema = z.array(
  z.discriminatedUnion("kind", [
    z.strictObject({
      name,
      kind: z.literal("redis"),
      url: z.string().check(z.regex(/^rediss?:\/\/\S+$/, "must begin with redis:// or rediss://")),
      /** The environment variable that holds the password. */
      passwordEnv: z.optional(z.string()),
    }),
    z.strictObject({
      name,
      kind: z.literal("zookeeper"),
      connect: z
        .string()
        .check(z.regex(/^[^\s,/]+:\d+(,[^\s,/]+:\d+)*(\/\S*)?$/, "must be host:port,host:port/folder")),
      sessionTimeoutMs,
    }),
  ]),
);

type Environment = Readonly<Record<string, string | undefined>>;

/** Those of the file, and for a quick try those of HOLDFAST_LOCKS_REDIS and HOLDFAST_LOCKS_ZOOKEEPER. @throws ConfigError */
export function readLockProviders(
  settings: z.output<typeof lockProvidersSchema>,
  environment: Environment,
): readonly LockProviderConfig[] {
  const { HOLDFAST_LOCKS_REDIS: redis, HOLDFAST_LOCKS_ZOOKEEPER: zooKeeper } = environment;
  const quick = [
    ...(redis === undefined ? [] : [{ name: "redis", kind: "redis", url: redis }]),
    ...(zooKeeper === undefined ? [] : [{ name: "zookeeper", kind: "zookeeper", connect: zooKeeper }]),
  ];
  const parsed = z.safeParse(lockProvidersSchema, quick);
  if (!parsed.success) {
    throw new ConfigError(`HOLDFAST_LOCKS_REDIS or HOLDFAST_LOCKS_ZOOKEEPER: ${parsed.error.issues[0]?.message}.`);
  }
  const providers = [...settings, ...parsed.data].map((each) => readProvider(each, environment));
  const names = new Set(["postgres"]);
  for (const each of providers) {
    if (names.has(each.name)) throw new ConfigError(`locks: there are two providers named ${each.name}.`);
    names.add(each.name);
  }
  return providers;
}

function readProvider(
  settings: z.output<typeof lockProvidersSchema>[number],
  environment: Environment,
): LockProviderConfig {
  if (settings.kind === "zookeeper") return settings;
  const { name: providerName, kind, url, passwordEnv } = settings;
  if (passwordEnv === undefined) return { name: providerName, kind, url };
  const password = environment[passwordEnv];
  if (password === undefined) throw new ConfigError(`locks: the environment variable ${passwordEnv} is not set.`);
  const full = new URL(url);
  full.password = encodeURIComponent(password);
  return { name: providerName, kind, url: full.href };
}
