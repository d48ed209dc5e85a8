import type { Mutant } from "./mutant.ts";

const agentFaults = ["agent-kill", "agent-freeze", "bridge", "crash", "pgkill"];
const primaryFaults = ["crash", "pgkill", "power", "freeze", "partition", "slow-disk"];

/** Each is caught by `npm run sim:mutants` within its seeds, or the command fails. */
export const mutants: readonly Mutant[] = [
  {
    name: "promote-without-quorum",
    says: "one sealed member fewer than |M| − k + 1 is enough",
    caughtBy: ["acknowledged-writes"],
    source: {
      of: "core",
      file: "recovery/quorum.ts",
      find: "return configuration.members.length - configuration.k + 1 - present;",
      replace: "return configuration.members.length - configuration.k - present;",
    },
    run: { faults: ["lone-acknowledger"], nodes: 5 },
  },
  {
    name: "accept-older-epoch",
    says: "the agent obeys a grant below its promise",
    caughtBy: ["epochs"],
    source: {
      of: "fence",
      file: "promise.ts",
      find: "if (grant.epoch < held.epoch) {",
      replace: "if (grant.epoch < held.epoch) return null;\n  if (grant.epoch < held.epoch) {",
    },
    run: { faults: ["ghost-leader", "crash", "pgkill"] },
  },
  {
    name: "accept-other-intent",
    says: "the agent obeys an equal epoch under another intent",
    caughtBy: ["epochs"],
    source: {
      of: "fence",
      file: "promise.ts",
      find: "if (grant.intentId !== held.intentId) {",
      replace: 'if (grant.intentId === "") {',
    },
    run: { faults: ["store-restored", "crash", "pgkill"] },
  },
  {
    name: "one-observer-as-two",
    says: "the control plane's own sight is enough to call a primary dead",
    caughtBy: ["needless-failover"],
    source: {
      of: "core",
      file: "recovery/judge-member.ts",
      find: "const corroborated = (facts: MemberFacts) => facts.againstBy.length > 0 && facts.vetoedBy.length === 0;",
      replace: 'const corroborated = (facts: MemberFacts) => facts.agent !== "awaited";',
    },
    run: { faults: agentFaults },
  },
  {
    name: "ignore-stream-veto",
    says: "a standby that still receives WAL does not hold a failover back",
    caughtBy: ["needless-failover"],
    source: {
      of: "core",
      file: "recovery/judge-member.ts",
      find: "return advancedAgoMs !== null && advancedAgoMs + sight.ageMs < state.durable.policy.streamVetoMs;",
      replace: "return advancedAgoMs === -1;",
    },
    run: { faults: ["slots-full", "agent-kill", "agent-freeze"] },
  },
  {
    name: "shrink-recorded-set-early",
    says: "the old synchronous set is forgotten when the new one is written down",
    caughtBy: ["acknowledged-writes"],
    source: {
      of: "core",
      file: "recovery/reconfigure.ts",
      find: "const configurations = [...cluster.configurations, configuration];",
      replace: "const configurations = [configuration];",
    },
    run: { faults: ["moving-set"], nodes: 5 },
  },
  {
    name: "skip-flush-barrier",
    says: "the old set is forgotten before the new one holds what was acknowledged under it",
    caughtBy: ["acknowledged-writes"],
    source: {
      of: "core",
      file: "recovery/reconfigure.ts",
      find: "if (flushed.length < configuration.k) return abandonWhenStuck(draft, action);",
      replace: "if (flushed.length < -1) return;",
    },
    run: { faults: ["moving-set"], nodes: 5 },
  },
  {
    name: "forget-old-set-at-promotion",
    says: "the configurations of the epoch before are dropped before a write was verified",
    caughtBy: ["acknowledged-writes"],
    source: {
      of: "core",
      file: "recovery/promotion.ts",
      find: "configurations: [...unionConfigurations(cluster.configurations, next.retained), next.configuration],",
      replace: "configurations: [next.configuration],",
    },
    run: { faults: ["heir-dies"], nodes: 5 },
  },
  {
    name: "reads-veto-writes",
    says: "a primary that can be read is not failed over, though it refuses every write",
    caughtBy: ["serves"],
    source: {
      of: "core",
      file: "recovery/judge-member.ts",
      find: "when: (f) => f.unwritable && f.sound >= f.soundNeeded",
      replace: "when: (f) => f.unwritable && f.againstBy.length > 0 && f.vetoedBy.length === 0",
    },
    run: { faults: ["disk-full"] },
  },
  {
    name: "lowest-candidate",
    says: "the candidate is the sealed member with the lowest position",
    caughtBy: ["acknowledged-writes"],
    source: {
      of: "core",
      file: "recovery/quorum.ts",
      find: "return a.timeline - b.timeline || a.lsn - b.lsn;",
      replace: "return b.timeline - a.timeline || b.lsn - a.lsn;",
    },
    run: { faults: [...primaryFaults, "slow-link"] },
  },
  {
    name: "act-without-commit",
    says: "commands leave before their intent is committed",
    caughtBy: ["committed-intent"],
    sendsBeforeCommit: true,
    run: { faults: ["crash", "pgkill", "ctl-trap"] },
  },
  {
    name: "act-while-frozen",
    says: "the control plane acts while it suspects itself",
    caughtBy: ["frozen"],
    source: {
      of: "core",
      file: "recovery/evaluate-cluster.ts",
      find: "if (live.self.frozen !== null) return;",
      replace: "if (live.self.frozen?.sinceMs === -1) return;",
    },
    run: { faults: ["ctl-freeze", "ctl-cut", "store-down", "crash", "pgkill", "pgfreeze"] },
  },
  {
    name: "ignore-budget",
    says: "automatic failovers have no budget",
    caughtBy: ["budget"],
    source: {
      of: "core",
      file: "recovery/evaluate-cluster.ts",
      find: "if (budget.used >= budget.of)",
      replace: "if (budget.used >= 1_000)",
    },
    run: { faults: ["crash", "pgkill"], policy: { failoverBudget: 2 } },
  },
  {
    name: "compensate-unknown-step",
    says: "a promotion of unknown outcome is compensated by granting the old primary again",
    caughtBy: ["acknowledged-writes", "timelines", "fenced-boot", "convergence", "actions-end"],
    source: {
      of: "core",
      file: "recovery/promotion.ts",
      find: 'if (last?.status !== "failed" || newest?.status === "running") return;',
      replace:
        'if (last?.status !== "failed" || newest?.status === "running") return;\n  if (action.from !== null) return startRegrant(draft, action);',
    },
    run: { faults: ["crash", "pgkill", "mid-command", "switchover"] },
  },
  {
    name: "boot-unfenced",
    says: "after a reboot the server comes up as it went down",
    caughtBy: ["fenced-boot"],
    hands: { bootsFenced: false },
    run: { faults: ["crash", "power", "power-all"] },
  },
  {
    name: "empty-names-on-promotion",
    says: "a promoted server waits for nobody",
    caughtBy: ["acknowledged-writes"],
    hands: { namesOnPromote: () => "" },
    run: { faults: primaryFaults },
  },
  {
    name: "skip-names-on-promotion",
    says: "a promoted server keeps the names that nobody satisfies",
    caughtBy: ["serves", "convergence"],
    hands: { namesOnPromote: () => "ANY 1 (e0_nobody)" },
    run: { faults: primaryFaults },
  },
  {
    name: "leave-receiver",
    says: "a sealed member goes on receiving",
    caughtBy: ["acknowledged-writes"],
    hands: { terminatesReceiver: false },
    run: { faults: ["thaw-at-seal"] },
  },
  {
    name: "run-commands-twice",
    says: "the agent forgets which commands it has run",
    caughtBy: ["command-once"],
    hands: { remembersCommands: false },
    run: { faults: ["crash", "pgkill", "partition", "slow-link", "lossy-link"] },
  },
  {
    name: "reuse-timeline",
    says: "a promotion takes the next number that its own server knows, whatever another intent may have opened",
    caughtBy: ["timelines"],
    hands: { reservesTimeline: false },
    run: { faults: ["heir-dies", "durability-changed"], nodes: 5, k: 2 },
  },
];
