import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { releaseLock, takeLock } from "./lock.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("is refused while its holder lives, and taken over once it is dead", async () => {
  const path = join(folder, "deep", "demo.lock");
  expect(takeLock(path)).toBeNull();
  releaseLock(path);
  expect(existsSync(path)).toBe(false);

  const holder = spawn("sleep", ["60"], { stdio: "ignore" });
  writeFileSync(path, `${holder.pid}\n`);
  expect(takeLock(path)).toBe(holder.pid);
  releaseLock(path);
  expect(existsSync(path)).toBe(true);

  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  expect(takeLock(path)).toBeNull();
});

it("survives a torn lock file", () => {
  const path = join(folder, "demo.lock");
  writeFileSync(path, "not a pid");
  expect(takeLock(path)).toBeNull();
});

it("refuses what makes no sense with a sentence, before anything is started", () => {
  const demo = (...args: string[]) => spawnSync(process.execPath, ["demo/main.js", ...args], { encoding: "utf8" });
  expect(demo("--port", "80")).toMatchObject({ status: 1, stderr: expect.stringContaining("from 1024 to 65000") });
  expect(demo("--what")).toMatchObject({ status: 1, stderr: expect.stringContaining("--port N") });
  expect(demo("dance")).toMatchObject({ status: 1, stderr: expect.stringContaining("no command dance") });
  expect(demo("break")).toMatchObject({ status: 1, stderr: expect.stringContaining("Name a fault") });
});
