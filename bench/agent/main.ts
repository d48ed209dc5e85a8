// `npm run bench:agent`: what the agent costs a node, beside a real PostgreSQL under load, at four heartbeats a second.
import { machineMs } from "../../demo/clock.ts";
import type { Demo } from "../../demo/demo.ts";
import { portSpan } from "../../demo/topology.ts";
import { readCommand, readWhole } from "../../scripts/command-line.ts";
import { runMain, withDemo } from "../demo-run.ts";
import { formatTable } from "../failover/statistics.ts";
import { readUsage } from "./usage.ts";

const usage = `npm run bench:agent -- [--seconds N] [--json]
  --seconds N    how long they are looked at (default 30)
  --port N       first of the ${portSpan} ports it uses (default 7500)
  --folder DIR   keep data and logs there
  --json         the last line is one object`;

const limits = { rssMb: 80, cpuPercent: 1 };
const warmUpMs = 10_000;

interface AgentCost {
  readonly node: string;
  readonly rssMb: number;
  readonly cpuPercent: number;
}

async function measure(demo: Demo, seconds: number): Promise<readonly AgentCost[]> {
  await sleep(warmUpMs);
  const agents = demo.postgres.map((node) => ({ node, pid: node.agentPid as number }));
  const before = agents.map(({ pid }) => readUsage(pid));
  const fromMs = machineMs();
  const peaks = before.map(({ rssBytes }) => rssBytes);
  while (machineMs() - fromMs < seconds * 1000) {
    await sleep(500);
    agents.forEach(({ pid }, index) => {
      peaks[index] = Math.max(peaks[index] as number, readUsage(pid).rssBytes);
    });
  }
  const tookMs = machineMs() - fromMs;
  return agents.map(({ node, pid }, index) => ({
    node: node.id,
    rssMb: round((peaks[index] as number) / 1024 / 1024),
    cpuPercent: round(((readUsage(pid).cpuMs - (before[index]?.cpuMs ?? 0)) / tookMs) * 100),
  }));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function main(): Promise<number> {
  const { seconds, json, ...where } = readCommand(
    usage,
    {
      seconds: { type: "string", default: "30" },
      port: { type: "string", default: "7500" },
      folder: { type: "string" },
      json: { type: "boolean", default: false },
    },
    (values) => ({
      seconds: readWhole("--seconds", values.seconds, 1, 86_400),
      port: readWhole("--port", values.port, 1_024, 65_000),
      folder: values.folder ?? null,
      json: values.json,
    }),
  );
  const costs = await withDemo(where, (demo) => measure(demo, seconds));
  const rows = costs.map(({ node, rssMb, cpuPercent }) => [node, rssMb, cpuPercent]);
  console.log(`\n${formatTable([["agent", "RSS MB (peak)", "CPU % of a core"], ...rows]).join("\n")}`);
  const rssMb = Math.max(...costs.map((cost) => cost.rssMb));
  const cpuPercent = Math.max(...costs.map((cost) => cost.cpuPercent));
  console.log(`Limits: ${limits.rssMb} MB and ${limits.cpuPercent} %, over ${seconds} s.`);
  if (json) console.log(JSON.stringify({ rssMb, cpuPercent, seconds, agents: costs }));
  return rssMb <= limits.rssMb && cpuPercent <= limits.cpuPercent ? 0 : 1;
}

await runMain(main);
