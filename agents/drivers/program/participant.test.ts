import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ChangeItem, type CommandOutcome, digestText, type StepKind } from "../../../server/core/index.ts";
import { hasProcess } from "../postgres/processes.ts";
import { ProgramParticipant } from "./participant.ts";
import { Program } from "./program.ts";
import type { ProgramService } from "./service.ts";

const script = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const release = JSON.parse(readFileSync("release.json", "utf8"));
if (release.crash) setTimeout(() => process.exit(1), 50);
else createServer((_, response) => response.end(release.version)).listen(Number(process.env.PORT), "127.0.0.1");
`;
const check = `import { readFileSync } from "node:fs"; JSON.parse(readFileSync(process.argv[2], "utf8"));`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

describe("a node's part in a change", () => {
  let folder: string;
  let service: ProgramService;
  let program: Program;
  let participant: ProgramParticipant;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-program-"));
    const port = await freePort();
    for (const version of ["1.0", "2.0", "3.0"]) {
      const dir = join(folder, "web", "releases", version);
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, "server.mjs"), script);
      writeFileSync(join(dir, "release.json"), JSON.stringify({ version, crash: version === "3.0" }));
    }
    writeFileSync(join(folder, "check.mjs"), check);
    writeFileSync(join(folder, "web.json"), '{"a":1}');
    service = {
      name: "web",
      dir: join(folder, "web"),
      command: [process.execPath, "server.mjs"],
      unit: null,
      environment: { PORT: String(port) },
      health: { kind: "http", url: `http://127.0.0.1:${port}/`, everyMs: 100, timeoutMs: 2_000 },
      runAs: null,
      files: [
        {
          name: "web.json",
          path: join(folder, "web.json"),
          check: [process.execPath, join(folder, "check.mjs"), "{file}"],
          reload: "restart",
        },
      ],
      startWithinMs: 20_000,
      stopWithinMs: 2_000,
      stateDir: join(folder, "state"),
      stopWithAgent: false,
    };
    await restartAgent();
    await program.switchTo("1.0");
  });

  afterEach(async () => {
    await program.switchTo(null);
    await program.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As after a kill of the agent: what is on the disk, and the process that runs on. */
  async function restartAgent(): Promise<void> {
    await program?.close();
    program = new Program(service, { log: () => {}, changed: () => {} });
    participant = new ProgramParticipant(program);
    await participant.open();
    await program.boot();
  }

  async function step(message: StepKind, item: ChangeItem, change = "CHG-1"): Promise<CommandOutcome> {
    const args = { change, program: "web", message, ballot: 1, item };
    const grant = { epoch: 1, intentId: change, step: 1, configVersion: 0 };
    return participant.run(grant, { verb: "change.step", args });
  }

  const release = (version: string): ChangeItem => ({ kind: "release", version });
  const said = (answer: string) => ({ status: "done", data: expect.objectContaining({ answer }) });
  const current = () => readlinkSync(join(folder, "web", "current"));

  it("stages, tries, and takes back what was tried; a late prepare finds the abort", async () => {
    expect(await step("prepare", release("2.0"))).toEqual(said("yes"));
    expect(current()).toBe("releases/1.0");
    expect(await step("trial", release("2.0"))).toEqual(said("done"));
    expect(program.status()).toMatchObject({ version: "2.0", healthy: true });
    expect(await step("abort", release("2.0"))).toEqual(said("done"));
    expect(program.status()).toMatchObject({ version: "1.0", healthy: true, crashes: 0 });
    expect(await step("prepare", release("2.0"))).toEqual(said("no"));
  });

  it("keeps its promise and its process over a kill of the agent, and a second commit does nothing more", async () => {
    await step("prepare", release("2.0"));
    const { pid } = program.status();
    await restartAgent();
    expect(program.status().pid).toBe(pid);
    expect(participant.current()).toMatchObject({ id: "CHG-1", state: "prepared" });
    expect(await step("commit", release("2.0"))).toEqual(said("done"));
    const after = program.status();
    expect(after).toMatchObject({ version: "2.0", healthy: true });
    await restartAgent();
    expect(await step("commit", release("2.0"))).toEqual(said("done"));
    expect(program.status().pid).toBe(after.pid);
  });

  it("starts the same release again, and has nothing to take back", async () => {
    const { pid } = program.status();
    expect(await step("do", { kind: "restart" })).toEqual(said("yes"));
    const after = program.status();
    expect(after).toMatchObject({ version: "1.0", healthy: true });
    expect(after.pid).not.toBe(pid);
    expect(await step("undo", { kind: "restart" })).toEqual(said("done"));
    expect(program.status().pid).toBe(after.pid);
  });

  it("goes on when its agent ends, and ends with it where that is wanted", async () => {
    const runs = () => hasProcess(program.status().pid ?? 0);
    await program.close();
    expect(runs()).toBe(true);
    service = { ...service, stopWithAgent: true };
    await restartAgent();
    const { pid } = program.status();
    await program.close();
    expect(pid).not.toBeNull();
    await expect.poll(() => hasProcess(pid ?? 0)).toBe(false);
  });

  it("ends a process that nobody knows of before it starts another: its agent died before it could note it", async () => {
    await step("prepare", release("2.0"));
    const { pid } = program.status();
    rmSync(join(folder, "state", "web.pid"));
    await restartAgent();
    await step("commit", release("2.0"));
    expect(program.status()).toMatchObject({ version: "2.0", healthy: true, crashes: 0 });
    expect(program.status().pid).not.toBe(pid);
  });

  it("votes no for a release that is not there, and says that a trial crashed", async () => {
    expect(await step("prepare", release("9.9"))).toEqual(said("no"));
    expect(await step("prepare", release("3.0"), "CHG-2")).toEqual(said("yes"));
    expect(await step("trial", release("3.0"), "CHG-2")).toEqual(said("no"));
    expect(await step("abort", release("3.0"), "CHG-2")).toEqual(said("done"));
    expect(program.status()).toMatchObject({ version: "1.0", healthy: true });
  });

  it("lets the service's own checker judge a file, swaps it as a whole, and puts back what was there", async () => {
    const config = (content: string): ChangeItem => ({ kind: "config", file: "web.json", content });
    const text = () => readFileSync(join(folder, "web.json"), "utf8");
    expect(await step("prepare", config("{"))).toEqual(said("no"));
    expect(await step("do", config('{"a":2}'), "CHG-2")).toEqual(said("yes"));
    expect(text()).toBe('{"a":2}');
    // The same word as on the change that brought it.
    expect(program.status().files).toEqual([{ name: "web.json", version: digestText('{"a":2}') }]);
    expect(await step("undo", config('{"a":2}'), "CHG-2")).toEqual(said("done"));
    expect(text()).toBe('{"a":1}');
    await step("do", config('{"a":3}'), "CHG-3");
    const revert: ChangeItem = { kind: "config-revert", file: "web.json", change: "CHG-3" };
    expect(await step("do", revert, "CHG-4")).toEqual(said("yes"));
    expect(text()).toBe('{"a":1}');
  });

  it("leaves a file readable to whom it was, on the way there and back", async () => {
    const path = join(folder, "web.json");
    const mode = () => statSync(path).mode & 0o777;
    const config: ChangeItem = { kind: "config", file: "web.json", content: '{"a":2}' };
    // One that a secret has, and one that a umask takes from.
    for (const [wanted, change] of [
      [0o600, "CHG-1"],
      [0o664, "CHG-2"],
    ] as const) {
      chmodSync(path, wanted);
      await step("do", config, change);
      expect(mode()).toBe(wanted);
      await step("undo", config, change);
      expect(mode()).toBe(wanted);
    }
  });
});
