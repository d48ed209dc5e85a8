import { endianness } from "node:os";

/** TCP sockets as the kernel lists them. Source: proc(5), `/proc/net/tcp` and `/proc/net/tcp6`; kernel.org, "proc_net_tcp". */
export interface TcpSocket {
  readonly local: TcpEnd;
  readonly remote: TcpEnd;
  readonly state: "established" | "listen";
  /** Which process holds it is known by this number. */
  readonly inode: number;
}

export interface TcpEnd {
  /** As people write it; IPv4 in IPv6 is written as IPv4, and any address as `*`. */
  readonly address: string;
  readonly port: number;
}

/** Number, both ends, state, three columns of queues and timers, user, timeout, inode. Other states belong to no process any more, or not yet. */
const row =
  /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (01|0A) \S+ \S+ \S+ +\d+ +\d+ (\d+)(?: |$)/gm;

/** At most `most` established and listening sockets. Whatever is no such line is left out. */
export function parseTcpTable(text: string, most: number, order = endianness()): TcpSocket[] {
  const sockets: TcpSocket[] = [];
  // Thousands of sockets have a handful of addresses.
  const written = new Map<string, string>();
  const addressOf = (hex: string): string => {
    const known = written.get(hex) ?? readAddress(hex, order);
    written.set(hex, known);
    return known;
  };
  for (const [, localHex = "", localPort = "", remoteHex = "", remotePort = "", state, number] of text.matchAll(row)) {
    if (sockets.length >= most) break;
    const inode = Number(number);
    if (inode === 0 || !Number.isSafeInteger(inode)) continue;
    sockets.push({
      local: { address: addressOf(localHex), port: Number.parseInt(localPort, 16) },
      remote: { address: addressOf(remoteHex), port: Number.parseInt(remotePort, 16) },
      state: state === "01" ? "established" : "listen",
      inode,
    });
  }
  return sockets;
}

function readAddress(hex: string, order: "LE" | "BE"): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => {
    const four = (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
    // Words are printed as numbers of this machine, the bytes in them are the network's.
    return order === "LE" ? four.reverse() : four;
  });
  return writeAddress(bytes);
}

function writeAddress(bytes: readonly number[]): string {
  if (bytes.every((byte) => byte === 0)) return "*";
  if (bytes.length === 4) return bytes.join(".");
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isMapped) return writeAddress(bytes.slice(12));
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  // The shortest form, the same as everywhere else.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
