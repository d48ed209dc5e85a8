import { describe, expect, it } from "vitest";
import { countSlots, linkOf, offsetOf, parseInfo, parseShard, replicasOf, roleOf } from "./info.ts";

const id = (letter: string) => letter.repeat(40);

describe("what Redis says of itself", () => {
  it("reads a replica's link, and no age of a byte that never came", () => {
    const info = parseInfo(
      "# Replication\r\nrole:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n" +
        "master_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:0\r\nslave_repl_offset:4711\r\nmaster_repl_offset:1\r\n",
    );
    expect(roleOf(info)).toBe("replica");
    expect(offsetOf(info)).toBe(4711);
    expect(linkOf(info)).toEqual({ host: "10.0.0.1", port: 6379, status: "down", ioAgoMs: null, syncProgress: null });
  });

  it("reads no place of a replica that has never synchronized: it would be promoted empty over the data", () => {
    for (const offset of [0, 1]) {
      const text = `role:slave\r\nmaster_link_status:down\r\nslave_repl_offset:${offset}\r\nmaster_repl_offset:0\r\n`;
      expect(offsetOf(parseInfo(text))).toBeNull();
    }
    expect(offsetOf(parseInfo("role:master\r\nmaster_repl_offset:0\r\n"))).toBe(0);
  });

  it("reads a master's replicas", () => {
    const info = parseInfo("role:master\r\nslave0:ip=127.0.0.1,port=7001,state=online,offset=90,lag=1\r\n");
    expect(replicasOf(info)).toEqual([{ host: "127.0.0.1", port: 7001, online: true, offset: 90, lagMs: 1_000 }]);
  });

  it("reads slots, open slots and neighbours of a cluster node", () => {
    const nodes = [
      `${id("a")} 127.0.0.1:7000@17000 myself,master - 0 0 3 connected 0-99 200 [100->-${id("b")}] [300-<-${id("b")}]`,
      `${id("b")} 127.0.0.1:7001@17001,host master,fail? - 0 0 2 connected 101-199`,
      `${id("c")} :0@0 slave,noaddr ${id("a")} 0 0 2 disconnected`,
      "",
    ].join("\n");
    const shard = parseShard(nodes, parseInfo("cluster_state:ok\r\ncluster_current_epoch:3\r\n"));
    expect(shard).toMatchObject({
      id: id("a"),
      slots: [
        [0, 99],
        [200, 200],
      ],
      slotCount: 101,
      migrating: [{ slot: 100, to: id("b") }],
      importing: [{ slot: 300, from: id("b") }],
      configEpoch: 3,
    });
    expect(shard?.neighbours).toEqual([
      { id: id("b"), host: "127.0.0.1", port: 7001, role: "master", masterId: null, health: "suspected", linked: true },
    ]);
    expect(countSlots(shard?.slots ?? [])).toBe(101);
  });
});
