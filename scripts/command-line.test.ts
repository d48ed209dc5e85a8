import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readNames, readWhole } from "./command-line.ts";

const simulation = fileURLToPath(new URL("../server/sim/main.ts", import.meta.url));

function run(...args: string[]) {
  return spawnSync(process.execPath, ["--import", "tsx", simulation, ...args], { encoding: "utf8" });
}

describe("the options of a command", () => {
  it("are refused with the reason and the way to help, not with a stack", () => {
    const { status, stderr } = run("--seeds", "many");
    expect(status).toBe(2);
    expect(stderr).toBe(
      "--seeds many: give a whole number from 1 to 2147483647.\nThe options are told by: npm run sim -- --help\n",
    );
    expect(run("--nonsense").stderr).toMatch(/^Unknown option '--nonsense'\n/);
  });

  it("are told by --help", () => {
    const { status, stdout } = run("--help");
    expect(status).toBe(0);
    expect(stdout).toContain("--seeds N");
  });

  it("take whole numbers within their range only", () => {
    expect(readWhole("--runs", "20", 1, 100)).toBe(20);
    for (const text of ["", " ", "1.5", "0", "101", "1e9", "x"]) {
      expect(() => readWhole("--runs", text, 1, 100)).toThrow("give a whole number from 1 to 100");
    }
  });

  it("take known names in the order in which they were given, each once", () => {
    expect(readNames("fault", "power,crash,power", ["crash", "power"])).toEqual(["power", "crash"]);
    expect(() => readNames("fault", "crash,flood", ["crash", "power"])).toThrow(
      "There is no fault flood; there are crash, power.",
    );
  });
});
