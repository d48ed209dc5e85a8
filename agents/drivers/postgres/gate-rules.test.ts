import { describe, expect, it } from "vitest";
import { closeRules } from "./gate-rules.ts";

const nobodyElse = ["local all all reject", "host all all all reject", "host replication all all reject", ""];

function closed(rules: readonly string[]): readonly string[] | undefined {
  return closeRules(rules.join("\n"), "holdfast")?.split("\n");
}

describe("the rules of a closed gate", () => {
  it("lets the Holdfast user in as before, and nobody else", () => {
    expect(
      closed([
        "# TYPE DATABASE USER ADDRESS METHOD",
        "local   all   postgres   peer",
        "host all all 10.0.0.0/8 scram-sha-256 # everybody",
        "hostssl all holdfast,app 0.0.0.0/0 cert clientcert=verify-full",
        "host replication holdfast 10.0.0.0/8 scram-sha-256",
      ]),
    ).toEqual([
      'host all "holdfast" 10.0.0.0/8 scram-sha-256',
      'hostssl all "holdfast" 0.0.0.0/0 cert clientcert=verify-full',
      "host replication holdfast 10.0.0.0/8 scram-sha-256",
      ...nobodyElse,
    ]);
  });

  it("writes no trust that was not there", () => {
    const lines = closed(["host all holdfast 127.0.0.1 255.255.255.255 md5", "host all app samenet trust"]);
    expect(lines).toEqual(['host all "holdfast" 127.0.0.1 255.255.255.255 md5', ...nobodyElse]);
  });

  it("keeps the local socket and the order, with what they reject", () => {
    expect(closed(["local all all trust", "host all all 10.0.0.9/32 reject", "host all all samenet md5"])).toEqual([
      'local all "holdfast" trust',
      'host all "holdfast" 10.0.0.9/32 reject',
      'host all "holdfast" samenet md5',
      ...nobodyElse,
    ]);
  });

  it("reads quotes, patterns, lists with spaces and continued lines", () => {
    expect(
      closed([
        'host all "all" samenet md5',
        "host all /^hold samenet md5",
        "host all app, holdfast \\",
        " samenet md5",
      ]),
    ).toEqual(['host all "holdfast" samenet md5', 'host all "holdfast"   samenet md5', ...nobodyElse]);
  });

  it("closes nothing that it could not enter itself", () => {
    expect(closed(["host all app samenet md5", "host all +operators samenet trust"])).toBeUndefined();
    expect(closed(["include other.conf"])).toBeUndefined();
  });
});
