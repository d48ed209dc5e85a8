#!/usr/bin/env node
// Finds what to run: the built bundle, or the sources where nothing was built. `server` and `agent` are programs of their own.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Holdfast needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const programs = {
  server: ["dist/server.js", "server/main.ts"],
  agent: ["dist/agent.js", "agents/program.ts"],
};
const wantsHelp = process.argv.slice(3).some((argument) => argument === "--help" || argument === "-h");
const program = wantsHelp ? undefined : programs[process.argv[2]];
const [bundle, source] = program ?? ["dist/cli.js", "cli/main.ts"];
if (program !== undefined) process.argv.splice(2, 1);

if (existsSync(join(root, bundle)) && process.env.HOLDFAST_SOURCE !== "1") {
  process.argv[1] = join(root, bundle);
} else {
  const { register } = await import("tsx/esm/api");
  register();
  process.argv[1] = join(root, source);
}
await import(pathToFileURL(process.argv[1]).href);
