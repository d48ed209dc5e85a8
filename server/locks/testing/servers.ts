import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A real server on loopback that a test or a bench started. */
export interface RealServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Null with a line that says what is missing: the suite goes on without this provider. */
export function findRedis(): string | null {
  return (
    findProgram("redis-server") ?? sayMissing("redis-server is not installed (Debian: apt-get install redis-server)")
  );
}

const javaFolders = ["/usr/share/java", "/usr/share/zookeeper"];

/** `java` and the class path of ZooKeeper as Debian lays them out. */
export function findZooKeeper(): { readonly java: string; readonly classPath: string } | null {
  const java = findProgram("java");
  const jars = javaFolders
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
  const hasServer = jars.some((jar) => /\/zookeeper(?:-[\d.]+)?\.jar$/.test(jar));
  if (java === null || !hasServer) return sayMissing("ZooKeeper is not installed (Debian: apt-get install zookeeper)");
  return { java, classPath: jars.filter((jar) => jar.endsWith(".jar")).join(delimiter) };
}

function sayMissing(what: string): null {
  console.warn(`Skipped: ${what}.`);
  return null;
}

function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

export async function startRedis(program: string, port?: number): Promise<RealServer> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-redis-"));
  const chosen = port ?? (await findFreePort());
  const args = ["--port", String(chosen), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  return startProcess(program, args, chosen, folder);
}

export async function startZooKeeper({ java, classPath }: { java: string; classPath: string }): Promise<RealServer> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-zookeeper-"));
  const port = await findFreePort();
  const args = [
    "-Xmx64m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dzookeeper.admin.enableServer=false",
    "-cp",
    classPath,
    "org.apache.zookeeper.server.ZooKeeperServerMain",
    String(port),
    folder,
    "500",
  ];
  const server = await startProcess(java, args, port, folder);
  // It opens the port before it can answer.
  for (let tries = 0; tries < 300 && !(await sayFourLetters(port)).includes("Zookeeper version"); tries++) await nap();
  return server;
}

function sayFourLetters(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("srvr"));
    let answer = "";
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

const nap = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

async function startProcess(
  program: string,
  args: readonly string[],
  port: number,
  folder: string,
): Promise<RealServer> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-4_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  process.once("exit", () => child.kill("SIGKILL"));
  await waitForPort(port, child, () => log);
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      await endProcess(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function endProcess(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

async function waitForPort(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}: ${log()}`);
    if (await answers(port)) return;
    await nap();
  }
  throw new Error(`The server did not open port ${port}: ${log()}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
