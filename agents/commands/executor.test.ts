import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CommandOutcome } from "../../server/core/index.ts";
import type { AgentFrame, CommandEnvelope, CommandFrame } from "../../server/protocol/index.ts";
import { canonicalJson } from "../../server/protocol/signing.ts";
import { signText } from "../connection/identity.ts";
import { AgentStateStore } from "../fence/agent-state.ts";
import { CommandExecutor } from "./executor.ts";
import { verbNames } from "./schemas.ts";

const server = generateKeyPairSync("ed25519");
const serverKey = server.publicKey.export({ format: "jwk" }).x as string;

let stateDir: string;
let sent: AgentFrame[];
let runs: number;
let online: boolean;
let signals: string[];

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "holdfast-executor-"));
  sent = [];
  signals = [];
  runs = 0;
  online = true;
});

afterEach(() => rm(stateDir, { recursive: true, force: true }));

async function open(run: () => Promise<CommandOutcome>): Promise<CommandExecutor> {
  return new CommandExecutor({
    store: await AgentStateStore.open(stateDir),
    allow: new Set(verbNames),
    runners: new Map([
      [
        "orders",
        {
          run: () => {
            runs += 1;
            return run();
          },
        },
      ],
    ]),
    log: () => undefined,
    session: () => ({ agentKey: "agent-key", serverKey, sessionMs: 10 }),
    send: (frame) => {
      if (online) sent.push(frame);
      return online;
    },
    signal: (code) => signals.push(code),
  });
}

function command(changes: Partial<CommandEnvelope> = {}): CommandFrame {
  const envelope: CommandEnvelope = {
    id: "command-1",
    agentKey: "agent-key",
    cluster: "orders",
    grant: { epoch: 2, intentId: "intent", step: 0, configVersion: 1 },
    verb: "postgres.seal",
    args: {},
    sessionMs: 0,
    expiresAfterMs: 5_000,
    counter: 1,
    ...changes,
  };
  return { t: "command", envelope, signature: signText(server.privateKey, canonicalJson(envelope)) };
}

const done: CommandOutcome = { status: "done", data: { lsn: 7 } };

it("keeps a result until it is acknowledged, across a lost connection and a restart", async () => {
  const first = await open(async () => done);
  online = false;
  await first.receive(command());
  expect(sent).toEqual([]);
  const second = await open(async () => done);
  online = true;
  second.resend();
  expect(sent).toMatchObject([{ t: "result", commandId: "command-1", outcome: done }]);
  await second.acknowledge("command-1");
  sent.length = 0;
  second.resend();
  expect(sent).toEqual([]);
  expect(runs).toBe(1);
});

it("runs an id once, also when it comes again after a restart with a new counter", async () => {
  await (await open(async () => done)).receive(command());
  await (await open(async () => done)).receive(command({ counter: 2 }));
  expect(runs).toBe(1);
  expect(sent.map((frame) => frame.t)).toEqual(["result", "result"]);
});

it("says that a command is unknown when the agent died while it ran", async () => {
  const dying = await open(() => new Promise(() => undefined));
  void dying.receive(command());
  await expect.poll(() => runs).toBe(1);
  const reborn = await open(async () => done);
  await reborn.receive(command({ counter: 2 }));
  expect(runs).toBe(1);
  expect(sent).toMatchObject([{ outcome: { status: "failed", code: "interrupted" } }]);
});

it("has its promise on disk before the verb runs, and holds it after a restart", async () => {
  let promised: unknown = null;
  const executor = await open(async () => {
    promised = (await AgentStateStore.open(stateDir)).fence("orders").promise;
    return done;
  });
  await executor.receive(command());
  expect(promised).toMatchObject({ epoch: 2, intentId: "intent" });
  const later = await open(async () => done);
  await later.receive(
    command({ id: "command-2", counter: 2, grant: { epoch: 1, intentId: "old", step: 0, configVersion: 1 } }),
  );
  expect(runs).toBe(1);
  expect(sent.at(-1)).toMatchObject({ outcome: { status: "refused", code: "stale-epoch" } });
});

it("refuses a replayed envelope whose id it has forgotten, after a restart too", async () => {
  await (await open(async () => done)).receive(command({ counter: 9 }));
  const later = await open(async () => done);
  await later.receive(command({ id: "command-0", counter: 9 }));
  expect(sent.at(-1)).toMatchObject({ outcome: { status: "refused", code: "replayed" } });
});

it("does not run what it could not promise durably, and says so", async () => {
  const executor = await open(async () => done);
  await rm(stateDir, { recursive: true, force: true });
  await executor.receive(command()).catch(() => undefined);
  expect(runs).toBe(0);
  expect(sent).toMatchObject([{ outcome: { status: "failed", code: "not-durable" } }]);
});

it("answers nothing to a forged command, and records it", async () => {
  const executor = await open(async () => done);
  await executor.receive({ ...command(), signature: "AAAA" });
  expect([sent, signals, runs]).toEqual([[], ["command-forged"], 0]);
});

it("will not start over a damaged state file", async () => {
  await writeFile(join(stateDir, "state.json"), '{"counters":{}');
  await expect(AgentStateStore.open(stateDir)).rejects.toThrow(/state\.json is damaged.*new one/s);
});
