// `npm run demo`: plain JavaScript, because nothing is installed yet when it starts.
//   node demo/main.js [--port N] [--keep]
//   node demo/main.js break FAULT [--node NAME] [--blip MS]
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { requireNode } from "../scripts/install.js";
import { releaseLock, takeLock } from "../scripts/lock.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockPath = join(root, ".holdfast", "demo.lock");
/** Where the running demo is reached, and its token; written by the supervisor. */
const runningPath = join(root, ".holdfast", "demo.json");

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
  --port N                            use ports N to N+54 (default 7300)
  --keep                              keep the data of the last run
npm run demo -- break FAULT           break the running demo
  --node NAME                         the node it happens to (default: the primary)
  --blip MS                           how long a blip lasts (default 800)
npm run demo -- break heal            undo every fault`;

async function start({ port, keep }) {
  const basePort = Number(port);
  if (!Number.isInteger(basePort) || basePort < 1024 || basePort > 65_000) {
    fail(`--port ${port} is no port: choose a number from 1024 to 65000.`);
  }
  const holder = takeLock(lockPath);
  if (holder !== null) {
    fail(
      `The demo runs already in this checkout (process ${holder}). End it with Ctrl-C there, or use a second clone with --port.`,
    );
  }
  process.once("exit", () => releaseLock(lockPath));
  const say = (line) => console.log(`  ${line}`);
  const signalled = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => resolve(signal));
  });
  try {
    console.log("Holdfast demo");
    const { runSetup } = await import("../scripts/setup.js");
    await Promise.race([runSetup(say), signalled.then(() => process.exit(130))]);
    const { runDemo } = await import("../dist/supervisor.js");
    await runDemo({ root, basePort, keep, runningPath, say, signalled });
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

async function breakSomething([fault], { node, blip }) {
  if (fault === undefined) fail(`Name a fault.\n${usage}`);
  if (!existsSync(runningPath)) fail("The demo does not run in this checkout. Start it with npm run demo.");
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
