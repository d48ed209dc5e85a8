import type { Mutant } from "./mutant.ts";

const agentFaults = ["agent-kill", "agent-freeze", "bridge", "crash", "pgkill"];
const primaryFaults = ["crash", "pgkill", "power", "freeze", "partition", "slow-disk"];

/** Each is caught by `npm run sim:mutants` within its seeds, or the command fails. */
export const mutants: readonly Mutant[] = [
  {
    name: "promote-without-quorum",
    says: "one sealed member fewer than |M| − k + 1 is enough",
    source: {
      of: "core",
      file: "recovery/quorum.ts",
      find: "return configuration.members.length - configuration.k + 1 - present;",
      replace: "return configuration.members.length - configuration.k - present;",
    },
    faults: ["crash", "power", "bridge", "partition", "slow-disk", "slow-link"],
  },
  {
    name: "accept-older-epoch",
    says: "the agent obeys a grant below its promise",
    source: {
      of: "fence",
      file: "promise.ts",
      find: "if (grant.epoch < held.epoch) {",
      replace: "if (grant.epoch < -1) {",
    },
    faults: ["store-restored", "crash", "pgkill"],
  },
  {
    name: "accept-other-intent",
    says: "the agent obeys an equal epoch under another intent",
    source: {
      of: "fence",
      file: "promise.ts",
      find: "if (grant.intentId !== held.intentId) {",
      replace: 'if (grant.intentId === "") {',
    },
    faults: ["store-restored", "crash", "pgkill"],
  },
  {
    name: "one-observer-as-two",
    says: "the control plane's own sight is enough to call a primary dead",
    source: {
      of: "core",
      file: "recovery/judge-member.ts",
      find: "const corroborated = (facts: MemberFacts) => facts.againstBy.length > 0 && facts.vetoedBy.length === 0;",
      replace: 'const corroborated = (facts: MemberFacts) => facts.agent !== "awaited";',
    },
    faults: agentFaults,
  },
  {
    name: "ignore-stream-veto",
    says: "a standby that still receives WAL does not hold a failover back",
    source: {
      of: "core",
      file: "recovery/judge-member.ts",
      find: "return advancedAgoMs !== null && advancedAgoMs + sight.ageMs < state.durable.policy.streamVetoMs;",
      replace: "return advancedAgoMs === -1;",
    },
    faults: ["slots-full", "agent-kill", "agent-freeze"],
  },
  {
    name: "shrink-recorded-set-early",
    says: "the old synchronous set is forgotten when the new one is written down",
    source: {
      of: "core",
      file: "recovery/reconfigure.ts",
      find: "const configurations = [...cluster.configurations, configuration];",
      replace: "const configurations = [configuration];",
    },
    faults: ["crash", "power", "partition", "pgfreeze", "slow-link", "bridge"],
  },
  {
    name: "skip-flush-barrier",
    says: "the old set is forgotten before the new one holds what was acknowledged under it",
    source: {
      of: "core",
      file: "recovery/reconfigure.ts",
      find: "if (flushed.length < configuration.k) return wakeAt(draft, draft.now.monoMs + 250);",
      replace: "if (flushed.length < -1) return;",
    },
    faults: ["crash", "power", "partition", "pgfreeze", "slow-link", "bridge"],
  },
  {
    name: "forget-old-set-at-promotion",
    says: "the configurations of the epoch before are dropped before a write was verified",
    source: {
      of: "core",
      file: "recovery/promotion.ts",
      find: "configurations: [...unionConfigurations(cluster.configurations, next.retained), next.configuration],",
      replace: "configurations: [next.configuration],",
    },
    faults: primaryFaults,
  },
  {
    name: "lowest-candidate",
    says: "the candidate is the sealed member with the lowest position",
    source: {
      of: "core",
      file: "recovery/quorum.ts",
      find: "return a.timeline - b.timeline || a.lsn - b.lsn;",
      replace: "return b.timeline - a.timeline || b.lsn - a.lsn;",
    },
    faults: [...primaryFaults, "slow-link"],
  },
  {
    name: "act-without-commit",
    says: "commands leave before their intent is committed",
    sendsBeforeCommit: true,
    faults: ["crash", "pgkill", "ctl-trap"],
  },
  {
    name: "act-while-frozen",
    says: "the control plane acts while it suspects itself",
    source: {
      of: "core",
      file: "recovery/evaluate-cluster.ts",
      find: "if (live.self.frozen !== null) return;",
      replace: "if (live.self.frozen?.sinceMs === -1) return;",
    },
    faults: ["ctl-freeze", "ctl-cut", "store-down", "crash", "pgkill", "pgfreeze"],
  },
  {
    name: "ignore-budget",
    says: "automatic failovers have no budget",
    source: {
      of: "core",
      file: "recovery/evaluate-cluster.ts",
      find: "if (budget.used >= budget.of)",
      replace: "if (budget.used >= 1_000)",
    },
    policy: { failoverBudget: 2 },
    faults: ["crash", "pgkill"],
  },
  {
    name: "compensate-unknown-step",
    says: "a promotion of unknown outcome is compensated by granting the old primary again",
    source: {
      of: "core",
      file: "recovery/promotion.ts",
      find: 'if (last?.status !== "failed") return;\n  const cluster',
      replace:
        'if (last?.status !== "failed") return;\n  if (action.from !== null) return startRegrant(draft, action);\n  const cluster',
    },
    faults: ["crash", "pgkill", "mid-command", "switchover"],
  },
  {
    name: "boot-unfenced",
    says: "after a reboot the server comes up as it went down",
    hands: { bootsFenced: false },
    faults: ["crash", "power", "power-all"],
  },
  {
    name: "empty-names-on-promotion",
    says: "a promoted server waits for nobody",
    hands: { namesOnPromote: () => "" },
    faults: primaryFaults,
  },
  {
    name: "skip-names-on-promotion",
    says: "a promoted server keeps the names that nobody satisfies",
    hands: { namesOnPromote: () => "ANY 1 (e0_nobody)" },
    faults: primaryFaults,
  },
  {
    name: "leave-receiver",
    says: "a sealed member goes on receiving",
    hands: { terminatesReceiver: false },
    faults: ["freeze", "pgfreeze", "ctl-trap", "slow-link", "partition"],
  },
  {
    name: "run-commands-twice",
    says: "the agent forgets which commands it has run",
    hands: { remembersCommands: false },
    faults: ["crash", "pgkill", "partition", "slow-link", "lossy-link"],
  },
  {
    name: "rewind-after-unknown-promotion",
    says: "whoever was told to promote and did not win may be rewound",
    source: { of: "core", file: "recovery/evaluate-cluster.ts", find: "cloneOnly: true", replace: "cloneOnly: false" },
    hands: { reservesTimeline: false },
    faults: ["crash", "power", "mid-command"],
    seeds: 60,
  },
];
