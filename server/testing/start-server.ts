import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, type Environment, loadConfig } from "../config.ts";
import { hashToken } from "../protocol/token-hash.ts";
import { serve } from "../serve.ts";
import { createMemoryStores, type MemoryStores } from "../store/index.ts";

export interface TestServer {
  readonly url: string;
  readonly stores: MemoryStores;
  readonly config: Config;
  /** Log lines of the level warn or error. */
  readonly complaints: string[];
  /** An enrolment token for `node`, made in the store. */
  enrolmentToken(node: string | null, lifetimeMs?: number, labels?: Record<string, string>): Promise<string>;
  /** An API token with the role. */
  apiToken(role: "viewer" | "operator" | "admin" | "application"): Promise<string>;
  stop(): Promise<void>;
}

/** A whole control plane in this process, on the in-memory twin of the store and a free port. `lockDatabaseUrl`: where locks are really kept. */
export async function startTestServer(
  environment: Environment = {},
  lockDatabaseUrl: string | null = null,
): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  const port = await findFreePort();
  const config = loadConfig(null, {
    HOLDFAST_PORT: String(port),
    HOLDFAST_DATA_DIR: dataDir,
    HOLDFAST_SIGN_IN_TOKEN: "sign-in-once",
    HOLDFAST_SETUP_TOKEN: "set-up-once",
    ...environment,
  });
  const stores = createMemoryStores();
  const stops: (() => Promise<void> | void)[] = [];
  const complaints: string[] = [];
  const lifecycle = {
    onStop: (_name: string, stop: () => Promise<void> | void) => void stops.push(stop),
    stop: async () => {},
  };
  await serve({
    stores,
    databaseUrl: lockDatabaseUrl,
    migrate: async () => {},
    config,
    version: "0.0.0-test",
    // No screens are built below it: the API alone is under test.
    root: dataDir,
    lifecycle,
    log: (level, message) => level !== "info" && complaints.push(message),
    say: () => {},
  });
  return {
    url: config.publicUrl,
    stores,
    config,
    complaints,
    async enrolmentToken(node, lifetimeMs = 60_000, labels = {}) {
      const token = crypto.randomUUID();
      const expiresAt = Date.now() + lifetimeMs;
      const hash = await hashToken(token);
      await stores.directory.createEnrolmentToken({ hash, labels, node, expiresAt, createdBy: "test" });
      return token;
    },
    async apiToken(role) {
      const token = `hf_${crypto.randomUUID()}`;
      const hash = await hashToken(token);
      await stores.identity.createApiToken({ hash, name: role, role, createdBy: "test", expiresAt: null }, Date.now());
      return token;
    },
    async stop() {
      for (const stop of stops.reverse()) await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
