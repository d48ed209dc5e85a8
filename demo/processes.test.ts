import { spawn } from "node:child_process";
import { expect, it } from "vitest";
import { isAlive, signalAll, withDescendants } from "./processes.ts";

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
