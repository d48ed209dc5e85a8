import { describe, expect, it } from "vitest";
import { parseTcpTable } from "./tcp-table.ts";

const rest = "00000000:00000000 00:00000000 00000000";
const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const line = (local: string, remote: string, state: string, inode: number | string) =>
  `   0: ${local} ${remote} ${state} ${rest}  1000        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
const read = (...lines: string[]) => parseTcpTable([head, ...lines, ""].join("\n"), 100, "LE");
const v6 = (words: string) => words.padStart(32, "0");

describe("the kernel's table of TCP sockets", () => {
  it("is read for IPv4: established ones, and those that listen", () => {
    expect(
      read(line("0100007F:1F90", "00000000:0000", "0A", 11), line("0500000A:C350", "0A01A8C0:1538", "01", 12)),
    ).toEqual([
      { local: { address: "127.0.0.1", port: 8080 }, remote: { address: "*", port: 0 }, state: "listen", inode: 11 },
      {
        local: { address: "10.0.0.5", port: 50_000 },
        remote: { address: "192.168.1.10", port: 5432 },
        state: "established",
        inode: 12,
      },
    ]);
  });

  it("is read for IPv6, in the shortest form", () => {
    const [listens, local, global] = read(
      line(`${v6("")}:1538`, `${v6("")}:0000`, "0A", 1),
      line(`${v6("01000000")}:C350`, `${v6("01000000")}:1538`, "01", 2),
      line("B80D0120000000000000000001000000:0050", "B80D01200000000000000000FF000000:01BB", "01", 3),
    );
    expect(listens?.local).toEqual({ address: "*", port: 5432 });
    expect(local?.remote).toEqual({ address: "::1", port: 5432 });
    expect(global).toMatchObject({ local: { address: "2001:db8::1" }, remote: { address: "2001:db8::ff", port: 443 } });
  });

  it("writes IPv4 within IPv6 as IPv4", () => {
    const mapped = "0000000000000000FFFF00000100007F";
    const [socket, any] = read(
      line(`${mapped}:C350`, `${mapped}:1538`, "01", 4),
      line("0000000000000000FFFF000000000000:1538", `${v6("")}:0000`, "0A", 5),
    );
    expect(socket?.remote).toEqual({ address: "127.0.0.1", port: 5432 });
    expect(any?.local).toEqual({ address: "*", port: 5432 });
  });

  it("is read in the other order of bytes, too", () => {
    const text = line("7F000001:1F90", "00000000:0000", "0A", 11);
    expect(parseTcpTable(text, 10, "BE")[0]?.local).toEqual({ address: "127.0.0.1", port: 8080 });
  });

  it("leaves out every other state, what belongs to no process, and lines that are none", () => {
    const good = line("0100007F:1F90", "0100007F:C350", "01", 7);
    const lines = [
      line("0100007F:1F90", "0100007F:C350", "06", 8),
      line("0100007F:1F90", "0100007F:C350", "01", 0),
      line("0100007F:1F90", "0100007F:C350", "01", "x"),
      line("0100007F", "0100007F:C350", "01", 9),
      line("0100007F:1F90", "0100007G:C350", "01", 9),
      line("01007F:1F90", "0100007F:C350", "01", 9),
      "junk",
      "   1: ",
      "\u0000\u0001",
      good.slice(0, 60),
      good,
    ];
    expect(read(...lines).map(({ inode }) => inode)).toEqual([7]);
    expect(parseTcpTable("", 10)).toEqual([]);
  });

  it("is read so far and no further", () => {
    const lines = Array.from({ length: 50 }, (_, i) => line("0100007F:1F90", "0100007F:C350", "01", i + 1));
    expect(parseTcpTable([head, ...lines].join("\n"), 10, "LE").length).toBeLessThanOrEqual(10);
  });
});
