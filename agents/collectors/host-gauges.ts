import { statfs } from "node:fs/promises";
import { monotonicMs } from "../shared/time.ts";
import { readProc } from "./proc.ts";

/** Beyond what a heartbeat carries: disks by mount, pressure, what the kernel counts. All from /proc. */

const mountsRead = 16;
/** File systems that hold no data of their own. */
const realFileSystems = /^(?:ext[234]|xfs|btrfs|zfs|f2fs|overlay|vfat|ntfs3?|nfs4?|ceph|fuseblk|tmpfs)$/;
const sectorBytes = 512;

interface Counters {
  readonly atMs: number;
  readonly values: Readonly<Record<string, number>>;
}

export class HostGauges {
  #before: Counters | null = null;

  async collect(): Promise<Record<string, number>> {
    const openFiles = Number(readProc("/proc/sys/fs/file-nr").split(/\s/, 1)[0]);
    const sockets = Number(/^TCP: inuse (\d+)/m.exec(readProc("/proc/net/sockstat"))?.[1]);
    return {
      ...(await readMounts()),
      ...readMemory(),
      ...readPressure(),
      ...this.#rates(readCounters()),
      ...(Number.isFinite(sockets) ? { tcpConnections: sockets } : {}),
      ...(openFiles > 0 ? { openFiles } : {}),
    };
  }

  #rates(values: Readonly<Record<string, number>>): Record<string, number> {
    const nowMs = monotonicMs();
    const before = this.#before;
    this.#before = { atMs: nowMs, values };
    if (before === null || nowMs <= before.atMs) return {};
    const seconds = (nowMs - before.atMs) / 1_000;
    const rates: Record<string, number> = {};
    for (const [name, value] of Object.entries(values)) {
      rates[name] = Math.max(0, value - (before.values[name] ?? value)) / seconds;
    }
    return rates;
  }
}

/** Used, free to programs and inodes of each mounted disk; a disk mounted twice counts once. */
async function readMounts(): Promise<Record<string, number>> {
  const gauges: Record<string, number> = {};
  for (const { path } of parseMounts(readProc("/proc/self/mounts")).slice(0, mountsRead)) {
    const disk = await statfs(path).catch(() => null);
    if (disk === null || disk.blocks === 0) continue;
    gauges[`diskTotalBytes:${path}`] = disk.blocks * disk.bsize;
    gauges[`diskUsedBytes:${path}`] = (disk.blocks - disk.bavail) * disk.bsize;
    if (disk.files > 0) gauges[`inodesUsedPercent:${path}`] = (100 * (disk.files - disk.ffree)) / disk.files;
  }
  return gauges;
}

export function parseMounts(text: string): { readonly device: string; readonly path: string }[] {
  const seen = new Set<string>();
  return text.split("\n").flatMap((line) => {
    const [device = "", path = "", type = "", options = ""] = line.split(" ");
    const isData = realFileSystems.test(type) && !/^\/(?:proc|sys|dev|run)(?:\/|$)/.test(path);
    // Gauge names hold plain paths only; mounts of single files and read-only images are no disks that fill up.
    if (!isData || !/^\/[A-Za-z0-9_.:/-]{0,50}$/.test(path) || /^ro(?:,|$)/.test(options)) return [];
    const key = type === "overlay" || type === "tmpfs" ? `${device}${path}` : device;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ device, path }];
  });
}

function readMemory(): Record<string, number> {
  const text = readProc("/proc/meminfo");
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1_024;
  const gauges = { memoryAvailableBytes: bytes("MemAvailable"), swapUsedBytes: bytes("SwapTotal") - bytes("SwapFree") };
  return Object.fromEntries(Object.entries(gauges).filter(([, value]) => Number.isFinite(value)));
}

/** Share of the last ten seconds in which something waited for a resource, percent. Source: kernel.org, "PSI". */
function readPressure(): Record<string, number> {
  const names = ["cpu", "memory", "io"] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = /^some avg10=([\d.]+)/m.exec(readProc(`/proc/pressure/${name}`))?.[1];
      return value === undefined ? [] : [[`${name}PressurePercent`, Number(value)]];
    }),
  );
}

/** Counters that grow: their names are those of their rates. */
function readCounters(): Record<string, number> {
  const [names = [], values = []] = readProc("/proc/net/snmp")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  const retransmitted = Number(values[names.indexOf("RetransSegs")]);
  return {
    ...sumDisks(readProc("/proc/diskstats")),
    ...(Number.isFinite(retransmitted) ? { tcpRetransmittedPerSecond: retransmitted } : {}),
  };
}

/** Whole disks only: their partitions are in them. Source: kernel.org, "I/O statistics fields". */
export function sumDisks(text: string): Record<string, number> {
  let read = 0;
  let written = 0;
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (!/^(?:sd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/.test(fields[2] ?? "")) continue;
    read += Number(fields[5]) * sectorBytes;
    written += Number(fields[9]) * sectorBytes;
  }
  return { diskReadBytesPerSecond: read, diskWrittenBytesPerSecond: written };
}
