// `npm test`: everything, also after a failure, with one closing line. Nothing it started outlives it.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./install.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, "test-results", "reports");
const minute = 60_000;

/** Simulated worlds of each run, about a second of processor time each; `npm run sim` does more. */
const simulationSeeds = 60;

/**
 * Each suite is one process in a process group of its own. `count` reads how many passed and failed; without it the exit code is one result.
 * A suite that ends badly without having named a failure counts as one failed.
 */
const suites = [
  { name: "types", script: "typescript/bin/tsc", args: ["--noEmit"], limitMs: 3 * minute },
  { name: "types of the core", script: "typescript/bin/tsc", args: ["--noEmit", "-p", "server/core"], limitMs: minute },
  { name: "lint", script: "@biomejs/biome/bin/biome", args: ["check", "."], limitMs: minute },
  {
    name: "unit, contract and integration",
    script: "vitest/vitest.mjs",
    args: ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${join(reports, "vitest.json")}`],
    limitMs: 15 * minute,
    count: countVitest,
  },
  {
    name: "simulation",
    script: "tsx/cli",
    args: ["server/sim/main.ts", "--seeds", String(simulationSeeds), "--json"],
    limitMs: 5 * minute,
    count: countSimulation,
  },
  {
    name: "browser journeys",
    script: "@playwright/test/cli",
    args: ["test", "--reporter=list,json"],
    environment: { PLAYWRIGHT_JSON_OUTPUT_NAME: join(reports, "playwright.json") },
    limitMs: 25 * minute,
    count: countPlaywright,
  },
];

function countVitest() {
  const report = readReport("vitest.json");
  return report && { passed: report.numPassedTests, failed: report.numFailedTests + brokenFiles(report) };
}

/** Files that failed before any of their tests ran. */
function brokenFiles(report) {
  return report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
}

function countPlaywright() {
  const report = readReport("playwright.json");
  if (!report) return null;
  const { expected, flaky, unexpected } = report.stats;
  return { passed: expected + flaky, failed: unexpected + (expected + flaky + unexpected === 0 ? 1 : 0) };
}

/** Each simulated world is a result of its own. */
function countSimulation(output) {
  const last = output.trim().split("\n").at(-1) ?? "";
  try {
    const { seeds, failingSeeds } = JSON.parse(last);
    return { passed: seeds - failingSeeds.length, failed: failingSeeds.length };
  } catch {
    return null;
  }
}

function readReport(name) {
  const path = join(reports, name);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

/** Resolves a script of a package even where its `exports` hide it. */
function resolveScript(script) {
  const direct = join(root, "node_modules", script);
  return existsSync(direct) ? direct : createRequire(join(root, "package.json")).resolve(script);
}

let running = null;
/** Journeys end their demo when they are asked to: its processes are in groups of their own, which a kill would not reach. */
const graceMs = 30_000;

function killGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The whole group has ended by itself.
  }
}

/** Asks a suite to end what it started, and ends it for good when it does not. */
function endSuite(child) {
  child.kill("SIGINT");
  return setTimeout(() => killGroup(child), graceMs);
}

function runSuite(suite) {
  console.log(`\n== ${suite.name}`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [resolveScript(suite.script), ...suite.args], {
      cwd: root,
      env: { ...process.env, ...suite.environment },
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    running = child;
    let output = "";
    child.stdout.on("data", (chunk) => {
      process.stdout.write(chunk);
      output = (output + chunk).slice(-100_000);
    });
    const timer = setTimeout(() => {
      console.log(`${suite.name}: stopped after ${suite.limitMs / minute} minutes.`);
      endSuite(child).unref();
    }, suite.limitMs);
    child.on("exit", (code) => {
      clearTimeout(timer);
      killGroup(child);
      running = null;
      resolve(judge(suite, code === 0, output));
    });
  });
}

function judge(suite, succeeded, output) {
  const counted = suite.count?.(output) ?? { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1 };
  const failed = !succeeded && counted.failed === 0 ? 1 : counted.failed;
  return { name: suite.name, passed: counted.passed, failed };
}

/** A step before the suites that can fail: it counts as one failed. */
async function prepare() {
  try {
    const { runSetup } = await import("./setup.js");
    await runSetup((line) => console.log(`  ${line}`));
    const { ensureChromium } = await import("./chromium.js");
    ensureChromium((line) => console.log(`  ${line}`));
    return [];
  } catch (error) {
    console.error(error.message);
    return [{ name: "set-up", passed: 0, failed: 1 }];
  }
}

async function main() {
  ensureInstalled(root, console.log);
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const only = process.argv[2];
  const results = await prepare();
  for (const suite of suites) {
    if (only === undefined || suite.name.startsWith(only)) results.push(await runSuite(suite));
  }
  console.log("");
  for (const { name, passed, failed } of results) console.log(`  ${name}: ${passed} passed, ${failed} failed`);
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const failed = sum("failed");
  console.log(`${sum("passed")} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    if (running === null) process.exit(130);
    running.once("exit", () => process.exit(130));
    endSuite(running);
  });
}
await main();
