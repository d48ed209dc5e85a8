import { type ChildProcess, spawn } from "node:child_process";
import { constants, hostname } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { type HeldLock, LockClient, LockError } from "../clients/node/locks.ts";
import type { LocksView } from "../server/protocol/index.ts";
import { confirmTyped } from "./actions.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatAgo, formatTable, print } from "./print.ts";

/** As in sysexits.h: 75 is "try again later". Both lie above what commands usually answer themselves. */
export const lockExitCodes = { notObtained: 75, lost: 76, notStarted: 127 } as const;

const killAfterMs = 5_000;

interface RunOptions {
  readonly name: string;
  readonly provider?: string;
  readonly ttl: number;
  readonly wait: number;
  readonly onLoss: "kill" | "warn";
}

export function addLocks(program: Command, api: () => Api): void {
  const lock = program.command("lock").alias("locks").description("locks with fencing tokens");
  lock
    .command("run")
    .description("hold a lock while a command runs")
    .requiredOption("--name <name>", "the lock")
    .option("--provider <name>", "who keeps it (default: the control plane's PostgreSQL)")
    .option("--ttl <seconds>", "how long it is kept without a renewal", readSeconds, 15)
    .option("--wait <seconds>", "how long to wait for it; 0: only try", readSeconds, 60)
    .option("--on-loss <what>", "when the lock is lost: kill the command, or warn and let it go on", readOnLoss, "kill")
    .argument("<command...>", "after --: the command and its arguments")
    .addHelpText(
      "after",
      `
The command finds its fencing token in HOLDFAST_FENCING_TOKEN and hands it to the resource with every write.

Exit codes: the command's own, or 128 + the signal that ended it; ${lockExitCodes.notObtained} the lock was not free in time;
${lockExitCodes.lost} the lock was lost and the command was killed; ${lockExitCodes.notStarted} the command could not be started.`,
    )
    .action((command: string[], options: RunOptions) => runLocked(api(), command, options));
  lock
    .command("list", { isDefault: true })
    .description("providers, holders and waiters")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => listLocks(api(), json));
  lock
    .command("release <name>")
    .description("take a lock away from its holder; the next one gets a greater token")
    .option("--provider <name>", "who keeps it (default: the control plane's PostgreSQL)")
    .option("--token <n>", "only this grant (default: the present one)", readToken)
    .requiredOption("--reason <text>", "why: it stands in the audit")
    .option("--yes", "don't ask", false)
    .option("--json", "print JSON", false)
    .action((name: string, options: ReleaseOptions) => releaseLock(api(), name, options));
}

async function listLocks(api: Api, json: boolean): Promise<void> {
  const view = await api.get<LocksView>("locks");
  const nowMs = Date.now();
  print(json, view, () => [
    ...view.providers.map(
      ({ name, kind, health, locks }) =>
        `${name} (${kind}): ${health.ok ? `${locks.length} locks, answers in ${Math.round(health.latencyMs ?? 0)} ms` : `DOWN: ${health.detail}`}`,
    ),
    "",
    ...formatTable(
      ["lock", "provider", "holder", "token", "since", "left", "waiting"],
      view.providers.flatMap((provider) =>
        provider.locks.map(({ name, holder, waiters }) => [
          name,
          provider.name,
          holder?.label ?? "–",
          String(holder?.token ?? "–"),
          holder === null ? "–" : formatAgo(holder.since, nowMs),
          holder === null ? "–" : `${Math.max(0, Math.round((holder.until - nowMs) / 1_000))} s`,
          waiters.map((waiter) => waiter.label).join(", ") || "–",
        ]),
      ),
    ),
  ]);
}

interface ReleaseOptions {
  readonly provider?: string;
  readonly token?: number;
  readonly reason: string;
  readonly yes: boolean;
  readonly json: boolean;
}

async function releaseLock(api: Api, name: string, options: ReleaseOptions): Promise<void> {
  const view = await api.get<LocksView>("locks");
  const provider = options.provider ?? view.providers[0]?.name ?? "";
  const found = view.providers.find((each) => each.name === provider)?.locks.find((each) => each.name === name);
  const token = options.token ?? found?.holder?.token ?? null;
  if (token === null) throw new CommandError(exitCodes.refused, `Nobody holds ${name} at ${provider}.`);
  if (!options.yes) {
    console.error(`${name} at ${provider} is held by ${found?.holder?.label ?? "somebody"} under token ${token}.`);
    console.error("Its work goes on until the resource refuses that token or the holder asks again.");
    await confirmTyped(name);
  }
  const body = { provider, name, token, confirm: name, reason: options.reason };
  const done = await api.send("POST", "locks/evict", body);
  print(options.json, done, () => [`Released ${name}; the next holder gets a token above ${token}.`]);
}

async function runLocked(api: Api, command: readonly string[], options: RunOptions): Promise<never> {
  if (api.token === null)
    throw new CommandError(exitCodes.refused, "Set HOLDFAST_TOKEN to a token of the role application.");
  const client = new LockClient({ url: api.url, token: api.token });
  const lock = await acquire(client, options, command);
  const code = await runCommand(lock, command, options);
  await lock
    .release()
    .catch((error: Error) => console.error(`holdfast: the lock was not given back: ${error.message}`));
  throw new CommandError(code, "");
}

async function acquire(client: LockClient, options: RunOptions, command: readonly string[]): Promise<HeldLock> {
  const holder = `${command[0]?.split("/").at(-1)} on ${hostname()}, pid ${process.pid}`;
  try {
    const { provider, ttl, wait } = options;
    return await client.acquire(options.name, { provider, ttlMs: ttl * 1_000, waitMs: wait * 1_000, holder });
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    const code = error.code === "lock-busy" ? lockExitCodes.notObtained : exitCodes.refused;
    throw new CommandError(code, error.message);
  }
}

/** Answers with the exit code. Signals to us go to the command, which decides. */
function runCommand(lock: HeldLock, [program = "", ...args]: readonly string[], options: RunOptions): Promise<number> {
  const child = spawn(program, args, {
    stdio: "inherit",
    env: { ...process.env, HOLDFAST_FENCING_TOKEN: String(lock.fencingToken), HOLDFAST_LOCK: lock.name },
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  let killed = false;
  lock.signal.addEventListener("abort", () => {
    console.error(`holdfast: ${(lock.signal.reason as Error).message}`);
    if (options.onLoss === "warn") return;
    killed = true;
    stopChild(child);
  });
  return new Promise((resolve) => {
    const end = (code: number): void => {
      for (const signal of signals) process.off(signal, forward);
      resolve(killed ? lockExitCodes.lost : code);
    };
    child.once("error", (error) => {
      console.error(`holdfast: can't start ${program}: ${error.message}`);
      end(lockExitCodes.notStarted);
    });
    child.once("exit", (code, signal) => end(code ?? 128 + signalNumber(signal)));
  });
}

function stopChild(child: ChildProcess): void {
  child.kill("SIGTERM");
  setTimeout(() => child.kill("SIGKILL"), killAfterMs).unref();
}

function readSeconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 3_600)
    throw new InvalidArgumentError("It must be 0 to 3600 seconds.");
  return value;
}

function readToken(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number above 0.");
  return value;
}

function readOnLoss(text: string): "kill" | "warn" {
  if (text !== "kill" && text !== "warn") throw new InvalidArgumentError("It is `kill` or `warn`.");
  return text;
}

const signalNumber = (signal: NodeJS.Signals | null): number => (signal === null ? 0 : constants.signals[signal]);
