import { documentKey } from "../documents.ts";
import { digestText } from "../plan-hash.ts";
import type { State } from "../state.ts";
import { listProgram, type ProgramOnNode } from "./programs.ts";
import type { ChangeCheck, ProgramRecord, RolloutPlan, RolloutRequest } from "./types.ts";
import type { ChangeItem } from "./verbs.ts";

const maxNodes = 64;

/** What a rollout would do now, with every check. Running it under another hash is refused. */
export function planRollout(state: State, request: RolloutRequest): RolloutPlan {
  const here = listProgram(state, request.service);
  const waves = fillWaves(request, here);
  const nodes = waves.flat();
  const record = (state.durable.documents.get(documentKey("program", request.service)) ?? null) as ProgramRecord | null;
  const checks: ChangeCheck[] = [
    ...checkNodes(nodes, here),
    ...checkTarget(nodes, here, request.item),
    ...checkProtocol(state, request, nodes),
    ...checkHistory(record, request.item),
    checkHealth(nodes, here),
  ];
  const before = Object.fromEntries(nodes.map((node) => [node, versionOn(here, node, request.item)]));
  const { service, item, protocol, watchMs, sql } = request;
  const version = versionOf(item);
  const judged = checks.filter(({ status }) => status === "block").map(({ code, data }) => [code, data]);
  const planHash = digestText(
    JSON.stringify([service, item, protocol, waves, before, watchMs, sql, judged, record?.serial]),
  );
  const runnable = judged.length === 0;
  return { service, item, version, protocol, waves, before, watchMs, sql, checks, runnable, planHash };
}

/** The word for what is rolled out. */
export function versionOf(item: ChangeItem): string {
  switch (item.kind) {
    case "release":
      return item.version;
    case "config":
      return digestText(item.content);
    case "config-revert":
      return `${item.file}@${item.change}`;
    case "restart":
      return "restart";
    default:
      return item satisfies never;
  }
}

/** First the canary, then everybody else; a list that names no wave is one. */
function fillWaves(request: RolloutRequest, here: readonly ProgramOnNode[]): string[][] {
  const named = request.waves.map((wave) => [...new Set(wave)]).filter((wave) => wave.length > 0);
  if (named.length > 0) return named;
  const [first, ...others] = here.map(({ node }) => node);
  return [first === undefined ? [] : [first], others].filter((wave) => wave.length > 0);
}

export function versionOn(here: readonly ProgramOnNode[], node: string, item: ChangeItem): string | null {
  const status = here.find((each) => each.node === node)?.status;
  if (status === undefined) return null;
  if (item.kind === "release" || item.kind === "restart") return status.version;
  return status.files.find(({ name }) => name === item.file)?.version ?? null;
}

function checkNodes(nodes: readonly string[], here: readonly ProgramOnNode[]): ChangeCheck[] {
  if (nodes.length === 0) return [block("no-nodes", {})];
  if (nodes.length > maxNodes) return [block("too-many-nodes", { nodes: nodes.length, limit: maxNodes })];
  if (new Set(nodes).size < nodes.length) return [block("node-twice", {})];
  const missing = nodes.filter((node) => !here.some((each) => each.node === node));
  if (missing.length > 0) return [block("not-on-node", { nodes: missing.join(", ") })];
  const away = nodes.filter((node) => here.find((each) => each.node === node)?.connected !== true);
  if (away.length > 0) return [block("agent-away", { nodes: away.join(", ") })];
  return [pass("agents-connected", { nodes: nodes.length })];
}

function checkTarget(nodes: readonly string[], here: readonly ProgramOnNode[], item: ChangeItem): ChangeCheck[] {
  const involved = here.filter(({ node }) => nodes.includes(node));
  if (item.kind === "restart") {
    const idle = involved.filter(({ status }) => status.version === null);
    if (idle.length === 0) return [pass("has-release", { nodes: involved.length })];
    return [block("no-release", { nodes: idle.map(({ node }) => node).join(", ") })];
  }
  if (item.kind !== "release") {
    const without = involved.filter(({ status }) => !status.files.some(({ name }) => name === item.file));
    if (without.length === 0) {
      const isThere = item.kind === "config" && nodes.every((node) => versionOn(here, node, item) === versionOf(item));
      if (isThere && nodes.length > 0) return [block("file-same", { file: item.file })];
      return [pass("file-known", { file: item.file })];
    }
    return [block("file-unknown", { file: item.file, nodes: without.map(({ node }) => node).join(", ") })];
  }
  const without = involved.filter(({ status }) => !status.releases.includes(item.version));
  if (without.length > 0) {
    return [block("release-missing", { version: item.version, nodes: without.map(({ node }) => node).join(", ") })];
  }
  if (involved.length > 0 && involved.every(({ status }) => status.version === item.version)) {
    return [block("runs-already", { version: item.version })];
  }
  return [pass("release-there", { version: item.version, nodes: involved.length })];
}

function checkProtocol(state: State, { protocol, sql }: RolloutRequest, nodes: readonly string[]): ChangeCheck[] {
  const found: ChangeCheck[] = [];
  // With two there is no majority without the other: it would block where 2PC blocks.
  if (protocol === "3pc" && nodes.length + (sql === null ? 0 : 1) < 3) {
    found.push(block("three-phase-needs-three", { nodes: nodes.length }));
  }
  if (sql === null) return found;
  if (protocol !== "2pc") found.push(block("sql-needs-prepare", {}));
  const cluster = state.durable.clusters.get(sql.cluster);
  if (cluster === undefined) found.push(block("no-such-cluster", { cluster: sql.cluster }));
  else if (cluster.primary === null) found.push(block("no-primary", { cluster: sql.cluster }));
  else found.push({ code: "sql-has-no-inverse", status: "warn", data: { cluster: sql.cluster } });
  return found;
}

function checkHistory(record: ProgramRecord | null, item: ChangeItem): ChangeCheck[] {
  const open = record?.openChange ?? null;
  if (open !== null) return [block("change-under-way", { change: open })];
  const known = record?.history.find(({ version }) => version === versionOf(item));
  if (known?.verdict === "bad") {
    return [{ code: "was-bad-before", status: "warn", data: { version: known.version, change: known.change } }];
  }
  return [pass("no-other-change", {})];
}

function checkHealth(nodes: readonly string[], here: readonly ProgramOnNode[]): ChangeCheck {
  const ill = here.filter(({ node, status }) => nodes.includes(node) && status.healthy === false);
  if (ill.length === 0) return pass("healthy-now", {});
  return { code: "ill-now", status: "warn", data: { nodes: ill.map(({ node }) => node).join(", ") } };
}

function pass(code: string, data: ChangeCheck["data"]): ChangeCheck {
  return { code, status: "pass", data };
}

function block(code: string, data: ChangeCheck["data"]): ChangeCheck {
  return { code, status: "block", data };
}
