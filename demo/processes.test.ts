import { spawn } from "node:child_process";
import { expect, it } from "vitest";
import { findProgramProcesses, isAlive, signalAll, withDescendants } from "./processes.ts";

it("finds a process with its children, and ends them all", async () => {
  const parent = spawn("sh", ["-c", "sleep 60 & sleep 60 & wait"], { stdio: "ignore" });
  const pid = parent.pid as number;
  let family: readonly number[] = [];
  for (let attempt = 0; attempt < 100 && family.length < 3; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    family = withDescendants([pid]);
  }
  expect(family).toHaveLength(3);
  expect(family[0]).toBe(pid);
  expect(signalAll(family, "SIGKILL")).toBe(3);
  await new Promise((resolve) => parent.once("exit", resolve));
  expect(isAlive(pid)).toBe(false);
  expect(withDescendants([pid])).toEqual([]);
  expect(signalAll([pid], "SIGKILL")).toBe(0);
});

it.runIf(process.platform === "linux")(
  "knows the plain services of a folder by their mark, and no other process",
  async () => {
    const start = (mark: string) =>
      spawn("sleep", ["60"], { stdio: "ignore", env: { ...process.env, HOLDFAST_PROGRAM: mark } });
    const own = start("pricing:/nowhere/pg-a/pricing");
    const other = start("pricing:/nowhere/pg-b/pricing");
    const find = () => findProgramProcesses(["/nowhere/pg-a/pricing"]);
    for (let attempt = 0; attempt < 100 && find().length === 0; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(find()).toEqual([own.pid]);
    expect(findProgramProcesses([])).toEqual([]);
    signalAll([own.pid as number, other.pid as number], "SIGKILL");
  },
);
