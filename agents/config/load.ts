import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { isNode, LineCounter, parseDocument } from "yaml";
import * as z from "zod/mini";
import { verbNames } from "../commands/schemas.ts";
import type { PostgresService } from "../drivers/postgres/service.ts";
import type { ProgramService } from "../drivers/program/service.ts";
import type { RedisService } from "../drivers/redis/service.ts";
import type { FencingHook } from "../hooks/fencing-hooks.ts";
import "../shared/schema-errors.ts";
import { exists, hasCode } from "../shared/durable-file.ts";
import { messageOf } from "../shared/time.ts";
import { readBite, Watchdog } from "../shared/watchdog.ts";
import { changeVerbs, resolvePrograms } from "./programs.ts";
import { resolveRunAs } from "./run-as.ts";
import {
  type AgentConfigFile,
  agentConfigSchema,
  type CheckConfig,
  type PostgresConfigFile,
  type RedisConfigFile,
} from "./schema.ts";
import type { TelemetryConfig } from "./telemetry-schema.ts";

/** What the agent runs by: the file with its defaults, secrets and paths resolved. */
export interface AgentConfig {
  readonly path: string;
  readonly node: string;
  readonly server: string;
  readonly serverKey: string | null;
  readonly token: string | null;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stateDir: string;
  readonly listen: { readonly host: string; readonly port: number } | null;
  readonly allow: ReadonlySet<string>;
  readonly postgres: PostgresService | null;
  readonly programs: readonly ProgramService[];
  /** Changes may run statements in this node's database. */
  readonly sqlChanges: boolean;
  readonly redis: readonly RedisService[];
  readonly checks: readonly CheckConfig[];
  readonly peers: AgentConfigFile["peers"];
  readonly spool: AgentConfigFile["spool"];
  /** How other nodes are cut off, by this agent. */
  readonly fencing: readonly FencingHook[];
  readonly telemetry: TelemetryConfig;
}

/** The configuration cannot be used. The message names file, line and reason. */
export class ConfigError extends Error {
  constructor(path: string, line: number | null, reason: string) {
    super(line === null ? `${path}: ${reason}` : `${path}:${line}: ${reason}`);
    this.name = "ConfigError";
  }
}

/** @throws ConfigError */
export async function loadConfig(path: string): Promise<AgentConfig> {
  const full = resolve(path);
  let text: string;
  try {
    text = await readFile(full, "utf8");
  } catch (error) {
    throw new ConfigError(full, null, `cannot be read: ${messageOf(error)}`);
  }
  const file = parseConfig(full, text);
  checkAddresses(full, text, file);
  await checkPaths(full, text, file);
  return resolveConfig(full, text, file);
}

/** Parses and validates the text of a configuration. @throws ConfigError */
export function parseConfig(path: string, text: string): AgentConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined)
    throw new ConfigError(path, lines.linePos(broken.pos[0]).line, `not valid YAML: ${broken.message}`);
  const parsed = z.safeParse(agentConfigSchema, document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const place = [...(issue?.path ?? []), ...unknown];
  const reason = unknown.length > 0 ? "there is no such setting" : (issue?.message ?? "not valid");
  const name = place.map(String).join(".");
  throw new ConfigError(path, lineOf(document, lines, place), `${name === "" ? "" : `${name}: `}${reason}`);
}

/** Line of a key, or of the nearest one above it when it is missing. */
function lineOf(
  document: ReturnType<typeof parseDocument>,
  lines: LineCounter,
  path: readonly PropertyKey[],
): number | null {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}

/** Line that sets this key, by its name alone. */
function lineOfKey(text: string, key: string): number | null {
  const index = text.split("\n").findIndex((line) => line.replace(/^[-\s]+/, "").startsWith(`${key}:`));
  return index < 0 ? null : index + 1;
}

/** Mistakes that would otherwise show only when PostgreSQL has to be started. */
async function checkPaths(path: string, text: string, file: AgentConfigFile): Promise<void> {
  const service = findPostgres(file);
  for (const { kind, ...each } of file.services) {
    if (kind !== "redis" || !("managed" in each) || each.managed === undefined) continue;
    const program = join(resolve(dirname(path), each.managed.binDir), "redis-server");
    if (await exists(program)) continue;
    throw new ConfigError(
      path,
      lineOfKey(text, "managed"),
      `services: there is no program ${program}; install Redis (Debian: apt-get install redis-server) or name its folder with managed.binDir`,
    );
  }
  if (service === undefined) return;
  const binDir = resolve(dirname(path), service.binDir);
  if (!(await exists(join(binDir, "postgres")))) {
    const reason = `services.0.binDir: there is no program "postgres" in ${binDir}`;
    throw new ConfigError(path, lineOfKey(text, "binDir"), reason);
  }
  const dataDir = resolve(dirname(path), service.dataDir);
  if (service.start !== "agent" || !(await exists(join(dataDir, "PG_VERSION")))) return;
  if ((await exists(join(dataDir, "postgresql.conf"))) || (await exists(join(dataDir, "holdfast.unfinished")))) return;
  throw new ConfigError(
    path,
    lineOfKey(text, "dataDir"),
    `services.0.dataDir: ${dataDir} holds a database whose postgresql.conf is elsewhere, so the agent can't start it; say with start: { unit: … } or start: { command: … } how the system does`,
  );
}

function checkAddresses(path: string, text: string, file: AgentConfigFile): void {
  const lineWith = (key: string) => lineOfKey(text, key);
  let url: URL;
  try {
    url = new URL(file.server);
  } catch {
    throw new ConfigError(path, lineWith("server"), `server: ${file.server} is not a URL`);
  }
  if (url.protocol === "ws:" && !isLoopback(url.hostname) && !file.allowInsecure) {
    throw new ConfigError(
      path,
      lineWith("server"),
      "server: plain ws:// to another machine is readable on the way; use wss://, or set allowInsecure: true if the network is trusted",
    );
  }
  if (file.listen !== undefined && !isLoopback(file.listen.host) && !file.allowInsecure) {
    throw new ConfigError(
      path,
      lineWith("listen"),
      "listen.host: the agent's HTTP has no authentication; bind it to loopback, or set allowInsecure: true",
    );
  }
  if (file.otlp !== undefined && !isLoopback(file.otlp.host) && !file.allowInsecure) {
    throw new ConfigError(
      path,
      lineWith("otlp"),
      "otlp.host: whoever reaches it may report for any service; bind it to loopback, or set allowInsecure: true",
    );
  }
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

async function resolveConfig(path: string, text: string, file: AgentConfigFile): Promise<AgentConfig> {
  const base = dirname(path);
  const stateDir = resolve(base, file.stateDir);
  const service = findPostgres(file);
  return {
    path,
    node: file.node,
    server: file.server,
    serverKey: file.serverKey ?? null,
    token: file.token ?? (await readSecret(path, text, "tokenFile", file.tokenFile, { optional: true })),
    zone: file.zone,
    labels: file.labels,
    stateDir,
    listen: file.listen ?? null,
    allow: new Set(file.allow ?? defaultVerbs(file)),
    postgres: service === undefined ? null : await resolvePostgres(path, text, stateDir, file, service),
    programs: await resolvePrograms(path, stateDir, file).catch((error: unknown) => {
      throw new ConfigError(path, lineOfKey(text, "programs"), messageOf(error));
    }),
    sqlChanges: service?.sqlChanges ?? false,
    redis: await Promise.all(
      file.services.flatMap((each) => (each.kind === "redis" ? [resolveRedis(path, text, stateDir, file, each)] : [])),
    ),
    checks: file.checks,
    peers: file.peers,
    spool: file.spool,
    fencing: checkFencing(path, text, file),
    telemetry: resolveTelemetry(base, file),
  };
}

/** Whoever names a fencing command has allowed it by that. */
function defaultVerbs(file: AgentConfigFile): readonly string[] {
  const own = file.services.length === 0 ? [] : verbNames.filter((verb) => verb !== "host.fence");
  return [...own, ...changeVerbs(file), ...(file.fencing.length > 0 ? ["host.fence"] : [])];
}

function checkFencing(path: string, text: string, file: AgentConfigFile): AgentConfigFile["fencing"] {
  const names = file.fencing.map((hook) => hook.node);
  const twice = names.find((node, index) => names.indexOf(node) !== index);
  const reason = names.includes(file.node)
    ? `fencing: ${file.node} can't cut itself off; name the hook at another node or at the control plane`
    : twice === undefined
      ? file.fencing.find((hook) => !isAbsolute(hook.command[0] ?? ""))
        ? "fencing: name the program by its whole path; it is run without a shell and without a search path of yours"
        : null
      : `fencing: ${twice} has two hooks; one command for each node`;
  if (reason !== null) throw new ConfigError(path, lineOfKey(text, "fencing"), reason);
  return file.fencing;
}

/** Files of applications lie where the operator says, seen from the configuration. */
function resolveTelemetry(base: string, { otlp, applications, spansPerSecond }: AgentConfigFile): TelemetryConfig {
  return {
    otlp: otlp ?? null,
    applications: applications.map(({ pidFile, logs, ...application }) => ({
      ...application,
      ...(pidFile === undefined ? {} : { pidFile: resolve(base, pidFile) }),
      logs: logs.map((log) => ({ ...log, file: resolve(base, log.file) })),
    })),
    spansPerSecond,
  };
}

function findPostgres(file: AgentConfigFile): PostgresConfigFile | undefined {
  return file.services.find((service) => service.kind === "postgres");
}

async function resolveRedis(
  path: string,
  text: string,
  stateDir: string,
  file: AgentConfigFile,
  service: RedisConfigFile,
): Promise<RedisService> {
  const base = dirname(path);
  const { managed } = service;
  const dir = managed === undefined ? null : resolve(base, managed.dir);
  const runAs =
    managed === undefined || dir === null
      ? null
      : await resolveRunAs(managed.runAs ?? null, dir, "redis").catch((error: unknown) => {
          throw new ConfigError(path, lineOfKey(text, "runAs"), `services: ${messageOf(error)}`);
        });
  return {
    node: file.node,
    cluster: service.cluster,
    instance: service.instance ?? file.node,
    mode: service.mode,
    host: service.host,
    port: service.port,
    advertise: { host: service.advertise?.host ?? service.host, port: service.advertise?.port ?? service.port },
    user: service.user ?? null,
    password:
      service.password ?? (await readSecret(path, text, "passwordFile", service.passwordFile, { optional: false })),
    managed:
      managed === undefined || dir === null
        ? null
        : {
            program: join(resolve(base, managed.binDir), "redis-server"),
            dir,
            runAs,
            initialize: managed.initialize,
            settings: Object.fromEntries(Object.entries(managed.settings).map(([key, value]) => [key, String(value)])),
          },
    stateDir,
    stopWithAgent: file.stopWithAgent,
  };
}

async function resolvePostgres(
  path: string,
  text: string,
  stateDir: string,
  file: AgentConfigFile,
  service: PostgresConfigFile,
): Promise<PostgresService> {
  const base = dirname(path);
  const dataDir = resolve(base, service.dataDir);
  const password =
    service.password ?? (await readSecret(path, text, "passwordFile", service.passwordFile, { optional: false }));
  if (service.initialize && service.authentication !== "trust" && password === null) {
    throw new ConfigError(
      path,
      lineOfKey(text, "initialize"),
      `services: a new cluster with ${service.authentication} needs password or passwordFile`,
    );
  }
  return {
    node: file.node,
    cluster: service.cluster,
    host: service.host,
    port: service.port,
    advertise: { host: service.advertise?.host ?? service.host, port: service.advertise?.port ?? service.port },
    binDir: resolve(base, service.binDir),
    dataDir,
    user: service.user,
    password,
    runAs: await resolveRunAs(service.runAs ?? null, dataDir).catch((error: unknown) => {
      throw new ConfigError(path, lineOfKey(text, "runAs"), `services.0.runAs: ${messageOf(error)}`);
    }),
    manager: managerOf(service.start),
    initialize: service.initialize,
    authentication: service.authentication,
    allowFrom: service.allowFrom,
    databases: service.databases.map((database) => ({ ...database, password: database.password ?? null })),
    settings: Object.fromEntries(Object.entries(service.settings).map(([key, value]) => [key, String(value)])),
    stateDir,
    watchdog: await openWatchdog(path, text, service),
    stopWithAgent: file.stopWithAgent,
  };
}

async function openWatchdog(path: string, text: string, { watchdog }: PostgresConfigFile): Promise<Watchdog | null> {
  if (watchdog === undefined) return null;
  const { device, timeoutMs } = watchdog;
  const fail = (reason: string) => new ConfigError(path, lineOfKey(text, "watchdog"), `services.0.watchdog: ${reason}`);
  if (!(await exists(device)))
    throw fail(`there is no ${device}; load the driver of your watchdog (Linux: wdctl names it)`);
  const biteMs =
    timeoutMs ??
    (await readBite(device).catch((error: unknown) => {
      throw fail(messageOf(error));
    }));
  return new Watchdog(device, biteMs);
}

function managerOf(start: PostgresConfigFile["start"]): PostgresService["manager"] {
  if (start === "agent") return null;
  if ("unit" in start)
    return { start: ["/usr/bin/systemctl", "start", start.unit], stop: ["/usr/bin/systemctl", "stop", start.unit] };
  return start.command;
}

/** A token file may be gone once the node is enrolled; a password file may not. */
async function readSecret(
  path: string,
  text: string,
  key: string,
  file: string | undefined,
  options: { readonly optional: boolean },
): Promise<string | null> {
  if (file === undefined) return null;
  try {
    return (await readFile(resolve(dirname(path), file), "utf8")).trim();
  } catch (error) {
    if (options.optional && hasCode(error, "ENOENT")) return null;
    throw new ConfigError(path, lineOfKey(text, key), `${key}: ${messageOf(error)}`);
  }
}
