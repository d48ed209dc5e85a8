// Reports the errors and gauges of a Node program to the Holdfast agent of its machine. One file without dependencies: copy it, or
//   node --import ./holdfast.mjs server.js      with HOLDFAST_AGENT=http://127.0.0.1:7410 and HOLDFAST_SERVICE=orders
// or call `connect` yourself. Nothing here waits for the agent, throws, or keeps the program alive; what can't be sent is counted and left out.
import { spawn } from "node:child_process";
import { request } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";

const errorsHeld = 200;
const sendMs = 500;
const gaugesMs = 2_000;
const timeoutMs = 2_000;

/** `agent`: the `listen` address of agent.yaml. `capture`: report what ends the program, too. */
export function connect({ agent, service, capture = true }) {
  let held = [];
  let dropped = 0;
  const gauges = new Map();
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();

  function report(error, { traceId = null } = {}) {
    if (held.length >= errorsHeld) {
      dropped += 1;
      return;
    }
    held.push(describeError(service, error, traceId));
  }

  /** `holds`: somebody waits for it, so the program lives on until it is sent. */
  async function send(holds) {
    const errors = held;
    held = [];
    if (errors.length > 0) await post(agent, "/errors", errors, holds).catch(() => (dropped += errors.length));
  }

  function sendGauges() {
    const { heapUsed } = process.memoryUsage();
    const values = { eventLoopLagMs: Math.max(0, delay.percentile(99) / 1e6 - 20), heapUsedBytes: heapUsed };
    delay.reset();
    for (const [name, read] of gauges) {
      const value = Number(read());
      if (Number.isFinite(value)) values[name] = value;
    }
    post(agent, "/gauges", { service, gauges: values }, false).catch(() => {});
  }

  const timers = [setInterval(send, sendMs, false), setInterval(sendGauges, gaugesMs)];
  for (const timer of timers) timer.unref();
  // The program ends as it would without us: its exit code and its message are its own.
  const onFatal = (error) => {
    report(error);
    postAtExit(agent, held);
    held = [];
  };
  if (capture) process.on("uncaughtExceptionMonitor", onFatal);

  return {
    report,
    flush: () => send(true),
    /** A figure of your own, read every two seconds: `gauge("poolWaiting", () => pool.waitingCount)`. */
    gauge: (name, read) => gauges.set(name, read),
    get dropped() {
      return dropped;
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      delay.disable();
      process.removeListener("uncaughtExceptionMonitor", onFatal);
      return send(true);
    },
  };
}

function describeError(service, error, traceId) {
  const isError = error instanceof Error;
  return {
    service,
    language: "javascript",
    type: isError ? error.name : "Error",
    message: String(isError ? error.message : error).slice(0, 2_000),
    stack: isError ? String(error.stack ?? "").slice(0, 16_000) : "",
    traceId,
  };
}

function post(agent, path, body, holds) {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sending = request(new URL(path, agent), { method: "POST", headers, timeout: timeoutMs }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode < 300 ? resolve() : reject(new Error(`${response.statusCode}`))));
    });
    if (!holds) sending.on("socket", (socket) => socket.unref());
    sending.on("timeout", () => sending.destroy(new Error("timeout")));
    sending.on("error", reject);
    sending.end(JSON.stringify(body));
  });
}

/** An exception that nobody caught ends the program before anything asynchronous can run: another process carries the last words. */
function postAtExit(agent, errors) {
  if (errors.length === 0) return;
  const script = `fetch(process.argv[1], { method: "POST", headers: { "content-type": "application/json" }, body: process.argv[2] }).catch(() => {})`;
  try {
    const url = new URL("/errors", agent).href;
    spawn(process.execPath, ["-e", script, url, JSON.stringify(errors.slice(-20))], {
      detached: true,
      stdio: "ignore",
      env: {},
    }).unref();
  } catch {
    // The program is ending anyway.
  }
}

if (process.env.HOLDFAST_AGENT && process.env.HOLDFAST_SERVICE) {
  connect({ agent: process.env.HOLDFAST_AGENT, service: process.env.HOLDFAST_SERVICE });
}
