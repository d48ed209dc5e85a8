import { describe, expect, it } from "vitest";
import { makeNode } from "../overview/picture-fixture.ts";
import { sortNodes } from "./sort-nodes.ts";

const host = (cpu: number) => ({
  cpu,
  load1: 0,
  cores: 1,
  memoryUsedBytes: 1,
  memoryTotalBytes: 2,
  diskUsedBytes: 1,
  diskTotalBytes: 2,
  networkRxBytesPerSecond: 0,
  networkTxBytesPerSecond: 0,
});

describe("sortNodes", () => {
  const nodes = [
    makeNode("n-10", { host: host(0.1) }),
    makeNode("n-2", { state: "down" }),
    makeNode("n-1", { host: host(0.9) }),
    makeNode("n-3", { state: "suspect", host: host(0.5) }),
  ];
  it("sorts by urgency, then by name with numbers as numbers", () => {
    expect(sortNodes(nodes, "state", "asc")).toEqual(["n-2", "n-3", "n-1", "n-10"]);
  });
  it("sorts names in both orders", () => {
    expect(sortNodes(nodes, "id", "asc")).toEqual(["n-1", "n-2", "n-3", "n-10"]);
    expect(sortNodes(nodes, "id", "desc")).toEqual(["n-10", "n-3", "n-2", "n-1"]);
  });
  it("puts what is not known last in either order", () => {
    expect(sortNodes(nodes, "cpu", "asc")).toEqual(["n-10", "n-3", "n-1", "n-2"]);
    expect(sortNodes(nodes, "cpu", "desc")).toEqual(["n-1", "n-3", "n-10", "n-2"]);
  });
});
