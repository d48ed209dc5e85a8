import { statfs } from "node:fs/promises";
import { type CpuInfo, cpus, freemem, loadavg, totalmem } from "node:os";
import type { HostMetrics } from "../../server/core/index.ts";
import { monotonicMs } from "../shared/time.ts";
import { readProc } from "./proc.ts";

/** Figures of the machine, taken now and then; a heartbeat carries the last ones. */
export class HostCollector {
  readonly #path: string;
  #last: HostMetrics | null = null;
  #cpu = { busy: 0, total: 0 };
  #network: { readonly atMs: number; readonly rx: number; readonly tx: number } | null = null;

  /** `path`: a directory on the disk to watch. */
  constructor(path: string) {
    this.#path = path;
  }

  get last(): HostMetrics | null {
    return this.#last;
  }

  async collect(): Promise<void> {
    const { cores, busy, total } = parseCpu(readProc("/proc/stat")) ?? sumCpus(cpus());
    this.#last = {
      cpu: this.#cpuShare(busy, total),
      load1: loadavg()[0] ?? 0,
      cores,
      memoryUsedBytes: usedMemory(),
      memoryTotalBytes: totalmem(),
      ...(await this.#disk()),
      ...this.#networkRates(),
    };
  }

  /** Share of all cores since the last look. */
  #cpuShare(busy: number, total: number): number {
    const before = this.#cpu;
    this.#cpu = { busy, total };
    const elapsed = total - before.total;
    return elapsed <= 0 ? 0 : Math.min(1, Math.max(0, (busy - before.busy) / elapsed));
  }

  async #disk(): Promise<Pick<HostMetrics, "diskUsedBytes" | "diskTotalBytes">> {
    try {
      const { bsize, blocks, bavail } = await statfs(this.#path);
      return { diskTotalBytes: blocks * bsize, diskUsedBytes: (blocks - bavail) * bsize };
    } catch {
      return { diskTotalBytes: 0, diskUsedBytes: 0 };
    }
  }

  #networkRates(): Pick<HostMetrics, "networkRxBytesPerSecond" | "networkTxBytesPerSecond"> {
    const totals = parseNetDev(readProc("/proc/net/dev"));
    const before = this.#network;
    const nowMs = monotonicMs();
    this.#network = { atMs: nowMs, ...totals };
    if (before === null || nowMs <= before.atMs) return { networkRxBytesPerSecond: 0, networkTxBytesPerSecond: 0 };
    const seconds = (nowMs - before.atMs) / 1_000;
    return {
      networkRxBytesPerSecond: Math.max(0, (totals.rx - before.rx) / seconds),
      networkTxBytesPerSecond: Math.max(0, (totals.tx - before.tx) / seconds),
    };
  }
}

interface CpuTime {
  readonly cores: number;
  /** In one unit, whichever the source has: only shares are made of them. */
  readonly busy: number;
  readonly total: number;
}

/**
 * Time of all cores since the machine started, from one file: `os.cpus()` also asks for every core's model and frequency. What waits for a
 * disk counts as idle, time stolen by the hypervisor as busy. Source: proc(5), `/proc/stat`. Null without its first line.
 */
export function parseCpu(text: string): CpuTime | null {
  const line = /^cpu +(.+)$/m.exec(text)?.[1];
  if (line === undefined) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(" ")
    .map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { cores: text.match(/^cpu\d+ /gm)?.length ?? 1, busy, total: busy + idle + wait };
}

function sumCpus(cores: readonly CpuInfo[]): CpuTime {
  let busy = 0;
  let total = 0;
  for (const { times } of cores) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq;
    total += sum;
    busy += sum - times.idle;
  }
  return { cores: cores.length, busy, total };
}

/** Bytes received and sent by all interfaces but loopback. Source: proc(5), `/proc/net/dev`. */
export function parseNetDev(text: string): { readonly rx: number; readonly tx: number } {
  let rx = 0;
  let tx = 0;
  for (const line of text.split("\n")) {
    const match = /^\s*([^:\s]+):\s*(.*)$/.exec(line);
    if (match === null || match[1] === "lo") continue;
    const fields = (match[2] ?? "").trim().split(/\s+/).map(Number);
    rx += fields[0] ?? 0;
    tx += fields[8] ?? 0;
  }
  return { rx, tx };
}

/** Memory that programs cannot have any more; on Linux the page cache does not count as used. */
function usedMemory(): number {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(readProc("/proc/meminfo"))?.[1];
  return totalmem() - (available === undefined ? freemem() : Number(available) * 1024);
}
