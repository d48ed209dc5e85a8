// `npm run bench:ingest`: a burst of error traces through a real agent, control plane and PostgreSQL: is each counted, and is memory flat?
import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { type Api, openApi } from "../../cli/api.ts";
import { readLogTail, startChild, waitForEnd } from "../../demo/child.ts";
import { makeTemporaryFolder } from "../../demo/folder.ts";
import { Hopeless, pollUntil } from "../../demo/poll.ts";
import { readCommand, readWhole } from "../../scripts/command-line.ts";
import { runSetup } from "../../scripts/setup.js";
import { readUsage } from "../agent/usage.ts";
import { runMain } from "../demo-run.ts";
import { formatTable } from "../failover/statistics.ts";
import { sendTraces } from "./load.ts";

const usage = `npm run bench:ingest -- [--seconds N] [--rate N] [--json]
  --seconds N    how long traces are sent (default 600)
  --rate N       traces a second (default 1000)
  --port N       first of the four ports it uses (default 7600)
  --json         the last line is one object`;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const warmUpSeconds = 10;
const drainMs = 60_000;

interface Phase {
  readonly sent: number;
  readonly refused: number;
  /** Errors in the control plane's groups; requests in the service's series. */
  readonly countedErrors: number;
  readonly countedRequests: number | null;
  readonly drainedAfterMs: number;
  /** Records that went over the spool and into the database. */
  readonly records: number;
  readonly agentRssMb: { readonly start: number; readonly end: number; readonly peak: number };
  readonly serverRssMb: { readonly start: number; readonly end: number; readonly peak: number };
  readonly agentCpuPercent: number;
  readonly serverCpuPercent: number;
}

interface Bench {
  readonly folder: string;
  readonly server: ChildProcess;
  readonly serverUrl: string;
  readonly api: Api;
  readonly port: number;
}

async function startServer(folder: string, port: number): Promise<Omit<Bench, "port">> {
  const serverUrl = `http://127.0.0.1:${port}`;
  const logPath = join(folder, "server.log");
  const server = startChild({
    name: "server",
    args: [join(root, "dist", "server.js")],
    cwd: root,
    logPath,
    environment: {
      NODE_ENV: "production",
      HOLDFAST_PORT: String(port),
      HOLDFAST_DATA_DIR: join(folder, "server"),
      HOLDFAST_STORE_PORT: String(port + 1),
    },
  });
  try {
    await pollUntil("The control plane's start", 60_000, async () => {
      if (server.exitCode !== null) throw new Hopeless(`The control plane has ended:\n${readLogTail(logPath)}`);
      const response = await fetch(`${serverUrl}/readyz`, { signal: AbortSignal.timeout(1_000) });
      return response.ok ? true : null;
    });
    return { folder, server, serverUrl, api: openApi({ HOLDFAST_DATA_DIR: join(folder, "server") }) };
  } catch (error) {
    await stop(server);
    throw error;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  if (!(await waitForEnd(child, 15_000))) child.kill("SIGKILL");
}

/** Starts an agent, lets it warm up under the load, then measures `seconds` of it. */
async function measure(
  bench: Bench,
  name: string,
  args: readonly string[],
  rate: number,
  seconds: number,
): Promise<Phase> {
  const { api, folder, server, serverUrl } = bench;
  const otlpPort = bench.port + (name === "naive" ? 3 : 2);
  const stateDir = join(folder, name);
  const config = join(folder, `${name}.yaml`);
  const { token, serverKey } = await pollUntil("An enrolment token", 60_000, () =>
    api.send<{ token: string; serverKey: string }>("POST", "enrolment-tokens", { node: name }),
  );
  writeFileSync(
    config,
    stringify({
      node: name,
      server: serverUrl.replace("http", "ws"),
      stateDir,
      token,
      serverKey,
      otlp: { port: otlpPort },
    }),
    { mode: 0o600 },
  );
  const logPath = join(folder, `${name}.log`);
  const agent = startChild({
    name,
    args: [...args, "--config", config],
    cwd: root,
    logPath,
  });
  try {
    const url = `http://127.0.0.1:${otlpPort}`;
    await pollUntil("The agent's start", 60_000, async () => {
      if (agent.exitCode !== null) throw new Hopeless(`The agent has ended:\n${readLogTail(logPath)}`);
      return (await fetch(url)).status === 404 ? true : null;
    });
    await sendTraces(url, `${name}-warm-up`, rate, warmUpSeconds);
    const pids = [agent.pid as number, server.pid as number];
    const before = pids.map(readUsage);
    const peaks = before.map(({ rssBytes }) => rssBytes);
    const sampling = setInterval(() => {
      for (const [i, pid] of pids.entries()) peaks[i] = Math.max(peaks[i] as number, readUsage(pid).rssBytes);
    }, 500);
    const { sent, refused } = await sendTraces(url, name, rate, seconds).finally(() => clearInterval(sampling));
    const after = pids.map(readUsage);
    const endedMs = performance.now();
    const countedErrors = await waitForCount(() => countErrors(api, name), sent - refused);
    const drainedAfterMs = Math.round(performance.now() - endedMs);
    const rss = (i: number) => ({
      start: toMb(before[i]?.rssBytes),
      end: toMb(after[i]?.rssBytes),
      peak: toMb(peaks[i]),
    });
    const cpu = (i: number) => round(((after[i]?.cpuMs ?? 0) - (before[i]?.cpuMs ?? 0)) / seconds / 10);
    return {
      sent,
      refused,
      countedErrors,
      countedRequests: name === "naive" ? null : await waitForCount(() => countRequests(api, name), sent - refused),
      drainedAfterMs,
      records: Number(readFileSync(join(stateDir, "spool", "acked"), "utf8")),
      agentRssMb: rss(0),
      serverRssMb: rss(1),
      agentCpuPercent: cpu(0),
      serverCpuPercent: cpu(1),
    };
  } finally {
    await stop(agent);
  }
}

/** The number itself when it is reached, otherwise what it was at the end. */
async function waitForCount(read: () => Promise<number>, wanted: number): Promise<number> {
  let counted = 0;
  const deadlineMs = performance.now() + drainMs;
  while (performance.now() < deadlineMs) {
    // On a busy machine an answer may be late: the next one says it as well.
    counted = await read().catch(() => counted);
    if (counted >= wanted) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return counted;
}

async function countErrors(api: Api, service: string): Promise<number> {
  const { items } = await api.get<{ items: readonly { service: string; count: number }[] }>(
    `traces?limit=200&service=${service}`,
  );
  return items.filter((group) => group.service === service).reduce((sum, { count }) => sum + count, 0);
}

async function countRequests(api: Api, service: string): Promise<number> {
  const { series } = await api.get<{ series: { requests?: readonly (number | null)[] } }>(
    `services/${service}/series?fromMs=0&metrics=requests`,
  );
  return (series.requests ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

function toMb(bytes = 0): number {
  return round(bytes / 1024 / 1024);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

async function main(): Promise<number> {
  const { seconds, rate, port, json } = readCommand(
    usage,
    {
      seconds: { type: "string", default: "600" },
      rate: { type: "string", default: "1000" },
      port: { type: "string", default: "7600" },
      json: { type: "boolean", default: false },
    },
    (values) => ({
      seconds: readWhole("--seconds", values.seconds, 1, 86_400),
      rate: readWhole("--rate", values.rate, 20, 100_000),
      port: readWhole("--port", values.port, 1_024, 65_000),
      json: values.json,
    }),
  );
  await runSetup((line) => console.log(`  ${line}`));
  const folder = makeTemporaryFolder("holdfast-ingest-");
  const bench = { ...(await startServer(folder, port)), port };
  try {
    const holdfast = await measure(bench, "holdfast", [join(root, "dist", "agent.js")], rate, seconds);
    // Shorter: its records fill the disk, and its rate is known after a minute.
    const naiveSeconds = Math.min(seconds, 60);
    const naiveArgs = ["--import", "tsx", join(root, "bench", "ingest", "naive-agent.ts")];
    const naive = await measure(bench, "naive", naiveArgs, rate, naiveSeconds);
    // What did not arrive cost nothing: only a baseline that came to its end is one.
    const isComplete = naive.countedErrors === naive.sent;
    const ratio = (value: number) => (isComplete ? round(value) : null);
    const perTrace = (phase: Phase) => phase.records / (phase.sent + warmUpSeconds * rate);
    const figures = {
      seconds,
      rate,
      sent: holdfast.sent,
      counted: holdfast.countedErrors,
      exact:
        holdfast.refused === 0 &&
        holdfast.countedErrors === holdfast.sent &&
        holdfast.countedRequests === holdfast.sent,
      agentRssMb: holdfast.agentRssMb,
      naiveComplete: isComplete,
      recordsPerTraceRatio: ratio(perTrace(naive) / perTrace(holdfast)),
      serverCpuRatio: ratio(naive.serverCpuPercent / holdfast.serverCpuPercent),
      agentCpuRatio: ratio(naive.agentCpuPercent / holdfast.agentCpuPercent),
      holdfast,
      naive: { seconds: naiveSeconds, ...naive },
    };
    console.log(`\n${formatTable(toRows(holdfast, naive)).join("\n")}`);
    if (json) console.log(JSON.stringify(figures));
    return figures.exact ? 0 : 1;
  } finally {
    await stop(bench.server);
    rmSync(folder, { recursive: true, force: true });
  }
}

function toRows(holdfast: Phase, naive: Phase): (string | number)[][] {
  const row = (title: string, read: (phase: Phase) => string | number) => [title, read(holdfast), read(naive)];
  const span = ({ start, end, peak }: Phase["agentRssMb"]) => `${start} → ${end} (peak ${peak})`;
  return [
    ["", "Holdfast", "a record for every trace"],
    row("traces sent", (phase) => phase.sent),
    row("errors counted", (phase) => phase.countedErrors),
    row("requests counted", (phase) => phase.countedRequests ?? "–"),
    row("complete after ms", (phase) => phase.drainedAfterMs),
    row("records stored", (phase) => phase.records),
    row("agent RSS MB", (phase) => span(phase.agentRssMb)),
    row("server RSS MB", (phase) => span(phase.serverRssMb)),
    row("agent CPU %", (phase) => phase.agentCpuPercent),
    row("server CPU %", (phase) => phase.serverCpuPercent),
  ];
}

await runMain(main);
