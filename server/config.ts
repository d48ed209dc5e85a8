import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { ConfigError } from "./config-error.ts";
import { lockProvidersSchema, readLockProviders } from "./config-locks.ts";
import { defaultPolicy, type Policy } from "./core/index.ts";
import type { FencingHook } from "./fencing-hooks.ts";
import type { LockProviderConfig } from "./locks/index.ts";

export { ConfigError };

export type Environment = Readonly<Record<string, string | undefined>>;

/** What an operator may set. Secrets are separate: they come by the environment or by files, never by this file. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Null: the embedded PostgreSQL below `dataDir`. */
  readonly databaseUrl: string | null;
  /** Port of the embedded PostgreSQL; null: a free one. */
  readonly storePort: number | null;
  /** Where browsers reach this server, without a trailing slash. */
  readonly publicUrl: string;
  /** Further origins that browsers may come from. */
  readonly publicOrigins: readonly string[];
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly trustProxy: boolean;
  readonly logLevel: string;
  readonly isDevelopment: boolean;
  readonly policy: Partial<Policy>;
  readonly webhooks: readonly {
    readonly url: string;
    readonly secret: string | null;
    readonly allowPrivate: boolean;
  }[];
  /** Beside PostgreSQL, which is always there. */
  readonly locks: readonly LockProviderConfig[];
  /** How nodes are cut off for good, by this machine. */
  readonly fencing: readonly FencingHook[];
  readonly secretKey: string | null;
  readonly setupToken: string | null;
  readonly signInToken: string | null;
  readonly demo: {
    readonly url: string;
    readonly token: string;
    readonly faults: readonly string[];
    /** Services that its supervisor can start again and roll back. */
    readonly services: readonly string[];
  } | null;
}

const port = z.int().check(z.gte(1), z.lte(65_535));
const origin = z.string().check(z.regex(/^https?:\/\/[^/\s]+$/, "must be an origin such as https://holdfast.example"));
const count = z.int().check(z.gte(0), z.lte(1_000_000));
const bytes = z.int().check(z.gte(0));
const ms = z.number().check(z.gte(0), z.lte(86_400_000));

/** The shape of `server.yaml`; docs/configuration.md explains it. */
export const serverConfigSchema = z.strictObject({
  host: z.optional(z.string()),
  port: z.optional(port),
  dataDir: z.optional(z.string()),
  databaseUrl: z.optional(z.string().check(z.regex(/^postgres(ql)?:\/\//, "must begin with postgresql://"))),
  storePort: z.optional(port),
  publicUrl: z.optional(origin),
  publicOrigins: z.optional(z.array(origin)),
  tls: z.optional(z.strictObject({ certFile: z.string(), keyFile: z.string() })),
  trustProxy: z.optional(z.boolean()),
  logLevel: z.optional(z.enum(["trace", "debug", "info", "warn", "error", "silent"])),
  webhooks: z.optional(
    z.array(
      z.strictObject({
        url: z.string().check(z.regex(/^https?:\/\/\S+$/, "must begin with https:// or http://")),
        /** The environment variable that holds the secret. */
        secretEnv: z.optional(z.string()),
        allowPrivate: z.optional(z.boolean()),
      }),
    ),
  ),
  locks: z.optional(lockProvidersSchema),
  fencing: z.optional(
    z.array(
      z.strictObject({
        node: z.string().check(z.regex(/^[a-z0-9-]{1,40}$/, "must be a node's name")),
        command: z.array(z.string().check(z.minLength(1))).check(
          z.minLength(1),
          z.maxLength(32),
          z.refine((words) => words[0]?.startsWith("/") === true, "must begin with the whole path of a program"),
        ),
        timeoutMs: z._default(z.int().check(z.gte(100), z.lte(600_000)), 20_000),
      }),
    ),
  ),
  policy: z.optional(
    z.strictObject({
      failoverBudget: z.optional(count),
      failoverBudgetWindowMs: z.optional(ms),
      minSilenceMs: z.optional(ms),
      maxSilenceMs: z.optional(ms),
      falseAlarmsPerNodeDay: z.optional(z.number().check(z.gt(0))),
      probeFailingMs: z.optional(ms),
      unwritableMs: z.optional(ms),
      streamVetoMs: z.optional(ms),
      fleetSilentShare: z.optional(z.number().check(z.gt(0), z.lte(1))),
      onPostgresExit: z.optional(z.enum(["failover", "restart"])),
      automationDefault: z.optional(z.enum(["on", "held"])),
      synchronousStandbys: z.optional(z.int().check(z.gte(1), z.lte(16))),
      switchoverMaxLagBytes: z.optional(bytes),
      demoteDeadlineMs: z.optional(ms),
      leaseMs: z.optional(z.int().check(z.gte(3_000), z.lte(120_000))),
      causes: z.optional(
        z.record(
          z.string(),
          z.strictObject({
            mode: z.enum(["off", "suggest", "automatic"]),
            above: z.number().check(z.gte(0), z.lte(1)),
          }),
        ),
      ),
    }),
  ),
});
type FileConfig = z.output<typeof serverConfigSchema>;

/** `file`: a YAML file, or null. The environment stands above the file. @throws ConfigError */
export function loadConfig(file: string | null, environment: Environment): Config {
  const settings = file === null ? {} : readFile(file);
  const host = environment.HOLDFAST_HOST ?? settings.host ?? "127.0.0.1";
  const listenPort = readNumber(environment, "HOLDFAST_PORT", 1, 65_535) ?? settings.port ?? 7400;
  const dataDir = environment.HOLDFAST_DATA_DIR ?? settings.dataDir ?? join(homedir(), ".local", "share", "holdfast");
  const scheme = settings.tls === undefined ? "http" : "https";
  const publicUrl =
    environment.HOLDFAST_PUBLIC_URL ?? settings.publicUrl ?? `${scheme}://${urlHost(host)}:${listenPort}`;
  const failoverBudget = readNumber(environment, "HOLDFAST_FAILOVER_BUDGET", 0, 1_000_000);
  const policy = { ...settings.policy, ...(failoverBudget === null ? {} : { failoverBudget }) };
  checkPolicy(policy);
  return {
    host,
    port: listenPort,
    dataDir: resolve(dataDir),
    databaseUrl: environment.DATABASE_URL ?? settings.databaseUrl ?? null,
    storePort: readNumber(environment, "HOLDFAST_STORE_PORT", 1, 65_535) ?? settings.storePort ?? null,
    publicUrl: publicUrl.replace(/\/$/, ""),
    publicOrigins: settings.publicOrigins ?? [],
    tls: settings.tls ?? null,
    trustProxy: settings.trustProxy ?? false,
    logLevel: environment.HOLDFAST_LOG_LEVEL ?? settings.logLevel ?? "info",
    isDevelopment: environment.HOLDFAST_DEV === "1",
    policy,
    webhooks: (settings.webhooks ?? []).map((each) => readWebhook(each, environment)),
    locks: readLockProviders(settings.locks ?? [], environment),
    fencing: settings.fencing ?? [],
    secretKey: environment.HOLDFAST_SECRET_KEY ?? null,
    setupToken: environment.HOLDFAST_SETUP_TOKEN ?? null,
    signInToken: environment.HOLDFAST_SIGN_IN_TOKEN ?? null,
    demo: readDemo(environment),
  };
}

function readFile(file: string): FileConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(`Can't read ${file}: ${(error as Error).message}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new ConfigError(`${file}, line ${line}, column ${col}: ${broken.message}`);
  }
  // zod/mini comes without words: without them every mistake is just an "Invalid input".
  const parsed = z.safeParse(serverConfigSchema, document.toJS() ?? {}, { error: en().localeError });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
  const line = findLine(document, path, lines);
  const why = unknown === undefined ? (issue?.message ?? "invalid") : "there is no such setting";
  throw new ConfigError(
    `${file}${line === null ? "" : `, line ${line}`}: ${path.map(String).join(".") || "the file"}: ${why}`,
  );
}

/** The line of the value at `path`, or of its nearest parent that is there. */
function findLine(
  document: ReturnType<typeof parseDocument>,
  path: readonly PropertyKey[],
  lines: LineCounter,
): number | null {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      | { range?: readonly [number, number, number] }
      | undefined;
    if (node?.range !== undefined) return lines.linePos(node.range[0]).line;
  }
  return null;
}

function readNumber(environment: Environment, name: string, least: number, most: number): number | null {
  const text = environment[name];
  if (text === undefined || text === "") return null;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(`${name} is "${text.slice(0, 50)}"; it must be a whole number from ${least} to ${most}.`);
}

function checkPolicy(policy: Partial<Policy>): void {
  const whole = { ...defaultPolicy, ...policy };
  if (whole.minSilenceMs > whole.maxSilenceMs) {
    throw new ConfigError(
      `policy.minSilenceMs (${whole.minSilenceMs}) is greater than policy.maxSilenceMs (${whole.maxSilenceMs}).`,
    );
  }
}

function readWebhook(
  { url, secretEnv, allowPrivate }: NonNullable<FileConfig["webhooks"]>[number],
  environment: Environment,
): Config["webhooks"][number] {
  const secret = secretEnv === undefined ? null : (environment[secretEnv] ?? null);
  if (secretEnv !== undefined && secret === null) {
    throw new ConfigError(`webhooks: the environment variable ${secretEnv} is not set.`);
  }
  return { url, secret, allowPrivate: allowPrivate ?? false };
}

function readDemo(environment: Environment): Config["demo"] {
  const { HOLDFAST_DEMO_URL: url, HOLDFAST_DEMO_TOKEN: token } = environment;
  if (url === undefined || token === undefined) return null;
  const list = (text: string | undefined): string[] => (text ?? "").split(",").filter((name) => name !== "");
  return {
    url: url.replace(/\/$/, ""),
    token,
    faults: list(environment.HOLDFAST_DEMO_FAULTS),
    services: list(environment.HOLDFAST_DEMO_SERVICES),
  };
}

function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
