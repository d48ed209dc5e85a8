import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parseCpu } from "./host.ts";
import { HostGauges, parseMounts, sumDisks } from "./host-gauges.ts";
import { ProcessUsage, parseStat } from "./process-usage.ts";

const application = { name: "burner", dependsOn: [], addresses: [], logs: [], journal: false };

describe("processes of an application", () => {
  it("are found by their command line with their children, and what they use is told", async () => {
    const mark = `burner-${process.pid}`;
    const script = `const { spawn } = require("node:child_process"); const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"]); process.on("exit", () => child.kill()); process.on("SIGTERM", () => process.exit()); setInterval(() => { const end = Date.now() + 30; while (Date.now() < end); }, 40); /* ${mark} */`;
    const child = spawn(process.execPath, ["-e", script], { stdio: "ignore" });
    try {
      const usage = new ProcessUsage({ ...application, command: mark });
      // The search is repeated while nothing is found, and again for the child.
      await expect
        .poll(() => new ProcessUsage({ ...application, command: mark }).collect(), { timeout: 10_000 })
        .toMatchObject({ processes: 2 });
      await usage.collect();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const gauges = await usage.collect();
      expect(gauges.cpuPercent).toBeGreaterThan(5);
      expect(gauges.memoryBytes).toBeGreaterThan(1e7);
      expect(gauges.threads).toBeGreaterThan(1);
      expect(gauges.openFiles).toBeGreaterThan(3);
    } finally {
      child.kill("SIGTERM");
    }
  }, 20_000);

  it("are none when nothing matches, and that is told", async () => {
    expect(await new ProcessUsage({ ...application, command: "no such program anywhere" }).collect()).toEqual({
      processes: 0,
    });
    expect(await new ProcessUsage(application).collect()).toEqual({});
  });

  it("may have any name", () => {
    const stat = `7 (a) b ( c) S 3 ${Array.from({ length: 40 }, (_, i) => i).join(" ")}`;
    expect(parseStat(stat)).toMatchObject({ pid: 7, parent: 3, cpuTicks: 9 + 10, threads: 15 });
    expect(parseStat("")).toBeNull();
  });
});

describe("gauges of the host", () => {
  it("count time waiting for disks as idle and stolen time as busy", () => {
    const text = "cpu  10 1 5 80 4 1 2 3 9 9\ncpu0 5 0 2 40 2 0 1 1 0 0\ncpu1 5 1 3 40 2 1 1 2 0 0\nintr 1";
    expect(parseCpu(text)).toEqual({ cores: 2, busy: 22, total: 106 });
    expect(parseCpu("")).toBeNull();
  });

  it("are read from this machine", async () => {
    const gauges = new HostGauges();
    await gauges.collect();
    const read = await gauges.collect();
    expect(read.memoryAvailableBytes).toBeGreaterThan(0);
    expect(Object.values(read).every(Number.isFinite)).toBe(true);
    expect(Object.keys(read).every((name) => /^[A-Za-z][A-Za-z0-9_.:/-]{0,79}$/.test(name))).toBe(true);
  });

  it("count a disk once, and no file systems without data", () => {
    const mounts = [
      "/dev/sda1 / ext4 rw 0 0",
      "/dev/sda1 /var/lib/x ext4 rw 0 0",
      "proc /proc proc rw 0 0",
      "/dev/sdb /data\\040x xfs rw 0 0",
      "/dev/loop1 /snap ext4 ro 0 0",
    ];
    expect(parseMounts(mounts.join("\n"))).toEqual([{ device: "/dev/sda1", path: "/" }]);
    expect(sumDisks("8 0 sda 1 2 10 4 5 6 20 8\n8 1 sda1 1 2 10 4 5 6 20 8")).toEqual({
      diskReadBytesPerSecond: 5_120,
      diskWrittenBytesPerSecond: 10_240,
    });
  });
});
