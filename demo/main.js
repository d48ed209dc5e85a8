// `npm run demo`: plain JavaScript, because nothing is installed yet when it starts.
//   node demo/main.js [--port N] [--keep]
//   node demo/main.js break FAULT [--node NAME] [--blip MS]
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { requireNode } from "../scripts/install.js";
import { releaseLock, takeLock } from "../scripts/lock.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A data folder has one demo at a time. Beside it lie the lock, and where the running demo is reached with its token. */
function placesOf(data) {
  const folder = data === undefined ? null : resolve(data);
  const base = folder ?? join(root, ".holdfast", "demo");
  return { folder, lockPath: `${base}.lock`, runningPath: `${base}.json` };
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        port: { type: "string", default: "7300" },
        keep: { type: "boolean", default: false },
        data: { type: "string" },
        with: { type: "string", multiple: true, default: [] },
        node: { type: "string" },
        blip: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    return fail(`${error.message}\n${usage}`);
  }
}

const usage = `npm run demo                          start the demo (Ctrl-C ends it)
  --port N                            use ports N to N+92 (default 7300)
  --keep                              keep the data of the last run
  --data DIR                          where the data goes (default .holdfast/demo); a demo each
  --with redis                        a Redis Cluster as well: three masters, three replicas, clients
npm run demo -- break FAULT           break the running demo
  --node NAME                         the node it happens to (default: the primary)
  --blip MS                           how long a blip lasts (default 800)
npm run demo -- break heal            undo every fault`;

async function start({ port, keep, data, with: extras }) {
  const basePort = Number(port);
  if (!Number.isInteger(basePort) || basePort < 1024 || basePort > 65_000) {
    fail(`--port ${port} is no port: choose a number from 1024 to 65000.`);
  }
  const unknown = extras.find((extra) => extra !== "redis");
  if (unknown !== undefined) fail(`--with ${unknown}: there is only --with redis.`);
  const { folder, lockPath, runningPath } = placesOf(data);
  const holder = takeLock(lockPath);
  if (holder !== null) {
    fail(
      `A demo runs already with this data (process ${holder}). End it with Ctrl-C there, or give this one --data DIR and --port N.`,
    );
  }
  process.once("exit", () => releaseLock(lockPath));
  const say = (line) => console.log(`  ${line}`);
  let building = true;
  const signalled = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => (building ? process.exit(130) : resolve(signal)));
    }
  });
  try {
    console.log("Holdfast demo");
    const { runSetup } = await import("../scripts/setup.js");
    await runSetup(say);
    const { runDemo } = await import("../dist/supervisor.js");
    building = false;
    await runDemo({ root, basePort, keep, folder, runningPath, say, signalled, redis: extras.includes("redis") });
  } catch (error) {
    fail(`The demo could not go on: ${error.message}`);
  }
  process.exit(0);
}

function post(url, token, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    });
    sent.on("response", async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, body: JSON.parse(text) });
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}

async function breakSomething([fault], { node, blip, data }) {
  if (fault === undefined) fail(`Name a fault.\n${usage}`);
  const { runningPath } = placesOf(data);
  if (!existsSync(runningPath)) fail("No demo runs here. Start it with npm run demo.");
  const { url, token } = JSON.parse(readFileSync(runningPath, "utf8"));
  const wanted = { fault, ...(node && { node }), ...(blip && { ms: Number(blip) }) };
  const answer = await post(`${url}/faults`, token, wanted).catch((error) =>
    fail(`The demo does not answer (${error.message}). Start it with npm run demo.`),
  );
  if (answer.status !== 200) fail(answer.body.error);
  const { node: hit, detail } = answer.body;
  console.log(`${fault}${hit ? ` on ${hit}` : ""}: ${detail}.`);
}

requireNode();
const { values, positionals } = readArguments();
if (values.help) console.log(usage);
else if (positionals.length === 0) await start(values);
else if (positionals[0] === "break") await breakSomething(positionals.slice(1), values);
else fail(`There is no command ${positionals[0]}.\n${usage}`);
