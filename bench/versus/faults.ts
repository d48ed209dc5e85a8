import { readFileSync } from "node:fs";
import { cutHost, type Host, listProcesses, mendHost, signalAll } from "../../e2e/plain/network.ts";

export interface PeerFault {
  strike(host: Host): void;
  heal(host: Host): void;
  /** Something was ended, and has to be started again. */
  readonly ends: boolean;
}

function servers(host: Host): readonly number[] {
  return listProcesses(host).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "postgres";
    } catch {
      return false;
    }
  });
}

const nothing = () => undefined;

export const peerFaults: Readonly<Record<string, PeerFault>> = {
  crash: { strike: (host) => signalAll(listProcesses(host), "SIGKILL"), heal: nothing, ends: true },
  pgkill: { strike: (host) => signalAll(servers(host), "SIGKILL"), heal: nothing, ends: false },
  power: {
    strike: (host) => {
      cutHost(host);
      signalAll(listProcesses(host), "SIGKILL");
    },
    heal: mendHost,
    ends: true,
  },
  freeze: {
    strike: (host) => signalAll(listProcesses(host), "SIGSTOP"),
    heal: (host) => signalAll(listProcesses(host), "SIGCONT"),
    ends: false,
  },
  partition: { strike: (host) => cutHost(host), heal: mendHost, ends: false },
  pgfreeze: {
    strike: (host) => signalAll(servers(host), "SIGSTOP"),
    heal: (host) => signalAll(servers(host), "SIGCONT"),
    ends: false,
  },
};
