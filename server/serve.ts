import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { OneTimeTokens } from "./auth/one-time-tokens.ts";
import { createSignIn, type SignIn } from "./auth/sign-in.ts";
import { type Config, ConfigError } from "./config.ts";
import { Control } from "./control.ts";
import { type Gateway, routeUpgrades } from "./gateway/upgrade.ts";
import { createScreens, type ScreenHandler } from "./http/screens.ts";
import { createHttpServer } from "./http/server.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { writeLocalToken } from "./local-token.ts";
import { createOwnLocks, openLocks } from "./locks/index.ts";
import type { Log } from "./observe/log.ts";
import type { OpenedStores } from "./open-stores.ts";
import type { ControlPlane } from "./ports/control.ts";
import { clusterLock, redisLock } from "./ports/locks.ts";
import { systemClock } from "./runtime/clock.ts";
import type { Stores } from "./store/index.ts";

const retryMs = 2_000;

export interface ServeOptions extends OpenedStores {
  readonly config: Config;
  readonly version: string;
  /** Root of the checkout or installation. */
  readonly root: string;
  readonly lifecycle: Pick<Lifecycle, "onStop" | "stop">;
  readonly log: Log;
  /** Sentences for the person who started it. */
  say(lines: readonly string[]): void;
}

/** Puts everything together and serves. Without a database it serves what needs none, and goes on when it is there. */
export async function serve(options: ServeOptions): Promise<void> {
  const { config, stores, migrate, version, lifecycle, log } = options;
  const control = new Control({ config, stores, version, log, onConflict: () => void lifecycle.stop(3) });
  lifecycle.onStop("the control loop", () => control.stop());
  const locks = openLocks(options.databaseUrl, config.locks, systemClock);
  lifecycle.onStop("the locks", () => locks.close());
  const ownLocks = createOwnLocks({
    locks,
    busy: () => listBusy(control.views),
    warn: (message, detail) => log("warn", message, detail),
  });

  let signIn: SignIn | null = null;
  let localTokenHash: string | null = null;
  let screens: ScreenHandler = (_request, response) => {
    response.writeHead(503, { "content-type": "text/plain; charset=utf-8", "retry-after": "1" });
    response.end("Holdfast is starting. Try again in a moment.\n");
  };
  const setupTokens = new OneTimeTokens(systemClock);
  const signInTokens = new OneTimeTokens(systemClock);
  if (config.signInToken !== null) signInTokens.issue(config.signInToken);
  const isAllowedOrigin = createOriginCheck(config);
  const server = createHttpServer(
    {
      ...stores,
      clock: systemClock,
      control: control.views,
      locks,
      ownLocks,
      telemetry: control.telemetry,
      signIn: () => signIn,
      localTokenHash: () => localTokenHash,
      setupTokens,
      signInTokens,
      version,
      baseUrl: config.publicUrl,
      isAllowedOrigin,
      demo: config.demo,
      isReady: () => signIn !== null && control.isReady,
      metrics: () => control.readMetrics(),
      log,
    },
    { tls: readTls(config), trustProxy: config.trustProxy, screens: () => screens },
  );
  let gateway: Gateway | null = null;
  routeUpgrades(server, () => gateway, config);
  await listen(server, config);
  lifecycle.onStop("the web server", () => close(server));
  localTokenHash = await writeLocalToken(config, lifecycle);

  // Agents come back at once; pages need a second to be ready.
  const pages = createScreens({ ...config, root: options.root, secure: isSecure(config), log });
  const ready = pages.then((handler) => {
    screens = handler;
  });
  const opened = await retry("The database can't be reached", log, async () => {
    await migrate();
    const { privateKey } = await stores.directory.serverKey();
    return openSignIn(config, stores, privateKey);
  });
  signIn = opened;
  const hubs = await control.start(opened.guard, isAllowedOrigin);
  lifecycle.onStop("the gateways", () => hubs.close());
  lifecycle.onStop(
    "the control plane's own locks",
    repeat(() => ownLocks.tidy(), log),
  );
  gateway = hubs;
  await ready;
  await announce(options, setupTokens);
}

/** Locks of what is under way, with what that is. */
function listBusy(views: ControlPlane): ReadonlyMap<string, string> {
  const busy = new Map<string, string>();
  for (const { id, openActionId } of views.listClusters()) {
    if (openActionId === null) continue;
    const action = views.findAction(openActionId);
    busy.set(clusterLock(id), `${openActionId} ${action?.kind ?? ""} (${action?.by ?? "holdfast"})`);
  }
  for (const { id, openActionId, migration } of views.listRedis()) {
    if (openActionId !== null) busy.set(redisLock(id), openActionId);
    else if (migration !== null) busy.set(redisLock(id), migration.id);
  }
  return busy;
}

/** Once a second, one after the other, until the function that is returned is called. */
function repeat(work: () => Promise<void>, log: Log): () => void {
  let stopped = false;
  const again = async (): Promise<void> => {
    await work().catch((error: unknown) => log("warn", "Own locks could not be tended", { error: String(error) }));
    if (!stopped) systemClock.setTimer(() => void again(), 1_000);
  };
  void again();
  return () => {
    stopped = true;
  };
}

function isSecure(config: Config): boolean {
  return config.publicUrl.startsWith("https:");
}

/** The sign-in secret hangs on the server's own key: no further secret to keep, and the same after a restart. */
function openSignIn(config: Config, stores: Stores, serverPrivateKey: string): SignIn {
  return createSignIn({
    database: stores.createAuthDatabase(),
    identity: stores.identity,
    secret: createHmac("sha256", serverPrivateKey).update("holdfast sign-in").digest("base64url"),
    baseUrl: config.publicUrl,
    secure: isSecure(config),
  });
}

async function announce({ config, stores, version, say }: ServeOptions, setupTokens: OneTimeTokens): Promise<void> {
  const users = await stores.identity.listUsers().catch(() => null);
  const lines = [`Holdfast ${version} serves ${config.publicUrl} (process ${process.pid})`];
  const isNew = users !== null && !users.some((user) => user.role === "admin");
  // Whoever chose a sign-in token has its own way in.
  if (isNew && (config.setupToken !== null || config.signInToken === null)) {
    const token = setupTokens.issue(config.setupToken ?? undefined);
    lines.push(`Set up Holdfast: ${config.publicUrl}/setup#token=${token}`);
    lines.push("The link works once, within the hour; a restart makes a new one.");
  }
  say(lines);
}

async function retry<T>(sentence: string, log: Log, attempt: () => Promise<T>): Promise<T> {
  for (let told = ""; ; ) {
    try {
      return await attempt();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== told) log("error", `${sentence}; trying again every ${retryMs / 1_000} s.`, { reason });
      told = reason;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

function listen(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const sentence =
        error.code === "EADDRINUSE"
          ? `Port ${port} on ${host} is taken by another program. Stop it, or choose another with HOLDFAST_PORT or \`port:\`.`
          : `Can't listen on ${host}:${port}: ${error.message}`;
      reject(new ConfigError(sentence, 4));
    });
    server.listen({ host, port }, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function readTls(config: Config): { cert: string; key: string } | null {
  if (config.tls === null) return null;
  try {
    return { cert: readFileSync(config.tls.certFile, "utf8"), key: readFileSync(config.tls.keyFile, "utf8") };
  } catch (error) {
    throw new ConfigError(`Can't read the TLS files: ${(error as Error).message}`);
  }
}

/** Exactly the origins this server is reached by; the names of loopback count as one when it listens there. */
function createOriginCheck(config: Config): (origin: string) => boolean {
  const allowed = new Set([config.publicUrl, ...config.publicOrigins]);
  const { protocol, hostname: name } = new URL(config.publicUrl);
  if (name === "127.0.0.1" || name === "localhost" || name === "[::1]") {
    for (const each of ["127.0.0.1", "localhost", "[::1]"]) allowed.add(`${protocol}//${each}:${config.port}`);
  }
  return (origin) => allowed.has(origin);
}
