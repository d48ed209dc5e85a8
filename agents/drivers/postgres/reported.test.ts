import { describe, expect, it } from "vitest";
import { reportExit } from "./reported.ts";

const killed = { pid: 7, code: null, signal: "SIGKILL", reaped: true, atMs: 1_000, expected: false };

describe("the exit in a status", () => {
  it("is an end that nobody asked for", () => {
    expect(reportExit(killed, 1_250)).toEqual({ pid: 7, code: null, signal: "SIGKILL", reaped: true, agoMs: 250 });
  });

  it("is not a stop that the agent made itself", () => {
    expect(reportExit({ ...killed, signal: null, expected: true }, 1_250)).toBeNull();
  });
});
