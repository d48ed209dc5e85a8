import type {
  AuditView,
  ClusterView,
  EntityView,
  IncidentDetail,
  IncidentView,
  NodeView,
  SystemView,
} from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatAgo, formatBytes, formatCode, formatInstant, formatTable, print } from "./print.ts";

/** Commands that only look. */

export async function showStatus(api: Api, json: boolean): Promise<void> {
  const { entities } = await api.get<{ entities: readonly EntityView[] }>("state");
  const system = entities.find((each): each is SystemView => each.entity === "system");
  const clusters = entities.filter((each): each is ClusterView => each.entity === "cluster");
  const incidents = entities.filter((each): each is IncidentView => each.entity === "incident");
  const open = incidents.filter((each) => each.phase !== "resolved" && each.phase !== "closed");
  print(json, { system, clusters, openIncidents: open }, () => [
    ...(system === undefined ? [] : describeSystem(system)),
    ...clusters.flatMap(describeCluster),
    open.length === 0 ? "No open incidents." : `${open.length} open:`,
    ...(open.length === 0 ? [] : describeIncidents(open)),
  ]);
}

export async function showNodes(api: Api, json: boolean): Promise<void> {
  const { items } = await api.get<{ items: readonly NodeView[] }>("nodes");
  const nowMs = Date.now();
  print(json, items, () =>
    formatTable(
      ["node", "state", "role", "cluster", "zone", "last seen", "why"],
      items.map((node) => [
        node.id,
        node.state,
        node.role,
        node.cluster ?? "–",
        node.zone,
        formatAgo(node.lastSeenAt, nowMs),
        node.reasons.map((reason) => formatCode(reason.code, reason.data)).join("; "),
      ]),
    ),
  );
}

export async function listIncidents(api: Api, phase: string | undefined, json: boolean): Promise<void> {
  const query = phase === undefined ? "" : `?phase=${encodeURIComponent(phase)}`;
  const { items } = await api.get<{ items: readonly IncidentView[] }>(`incidents${query}`);
  print(json, items, () => (items.length === 0 ? ["No incidents."] : describeIncidents(items)));
}

export async function showIncident(api: Api, id: string, json: boolean): Promise<void> {
  const detail = await api.get<IncidentDetail>(`incidents/${encodeURIComponent(id)}`);
  print(json, detail, () => [
    ...describeIncidents([detail.incident]),
    "",
    ...describeSuspects(detail.incident),
    ...formatTable(
      ["at", "lane", "where", "what"],
      detail.timeline.map((entry) => [
        formatInstant(entry.at),
        entry.lane,
        entry.subject.id,
        formatCode(entry.kind, entry.data),
      ]),
    ),
  ]);
}

/** What it is, how sure, and what would end it: `incident recover` carries that out. */
function describeSuspects({ suspects, localization, recovery }: IncidentView): string[] {
  const lines = suspects.map(
    ({ subject, cause, confidence, evidence }, at) =>
      `${at + 1}. ${subject.id}: ${formatCode(cause)}, ${Math.round(confidence * 100)} % (${evidence.flatMap(({ code, stance }) => (stance === "for" ? [formatCode(code)] : [])).join(", ")})`,
  );
  const missing = localization?.missing ?? [];
  if (missing.length > 0)
    lines.push(`This would settle it: ${missing.map(({ code, data }) => formatCode(code, data)).join("; ")}`);
  if (recovery) {
    const why = recovery.state !== "offered" || recovery.reason === "" ? "" : `, ${formatCode(recovery.reason)}`;
    const way = recovery.leaves === undefined ? "" : ` (${recovery.leaves} to ${recovery.target ?? "the others"})`;
    lines.push(`Suggested: ${formatCode(recovery.action)} ${recovery.service}${way}: ${recovery.state}${why}`);
  }
  return lines.length === 0 ? [] : [...lines, ""];
}

export async function listAudit(api: Api, limit: number, json: boolean): Promise<void> {
  const { items } = await api.get<{ items: readonly AuditView[] }>(`audit?limit=${limit}`);
  print(json, items, () =>
    formatTable(
      ["seq", "at", "who", "role", "what", "where", "why"],
      items.map((entry) => [
        String(entry.seq),
        formatInstant(entry.at),
        entry.actor,
        entry.actorRole,
        formatCode(entry.verb),
        entry.subject,
        entry.reason,
      ]),
    ),
  );
}

type AuditVerdict = { ok: true; entries: number; head: string } | { ok: false; brokenAt: number; reason: string };

export async function verifyAudit(api: Api, json: boolean): Promise<void> {
  const verdict = await api.get<AuditVerdict>("audit/verify");
  print(json, verdict, () =>
    verdict.ok ? [`The chain holds: ${verdict.entries} entries, head ${verdict.head}.`] : [],
  );
  if (verdict.ok) return;
  throw new CommandError(exitCodes.error, `The chain is broken at entry ${verdict.brokenAt}: ${verdict.reason}`);
}

function describeSystem(system: SystemView): string[] {
  const counts = Object.entries(system.nodes).filter(([, count]) => count > 0);
  const lines = [
    `Holdfast ${system.version}: ${system.agentsConnected} agents connected; nodes: ${counts.map(([state, count]) => `${count} ${state}`).join(", ") || "none"}`,
  ];
  if (!system.storeAvailable) lines.push("The database can't be reached: no action begins until it is back.");
  if (system.frozen !== null) lines.push(`Frozen: ${formatCode(system.frozen.reason)}. It observes and does not act.`);
  return lines;
}

function describeCluster(cluster: ClusterView): string[] {
  const { automation, budget } = cluster;
  const head = [
    "",
    `${cluster.id}: ${cluster.state}, primary ${cluster.primary ?? "none"}, epoch ${cluster.epoch}, timeline ${cluster.timeline ?? "–"}`,
    `  automation ${automation.state} (${automation.by}: ${formatCode(automation.reason)}); failovers ${budget.used} of ${budget.of}`,
    ...cluster.reasons.map((reason) => `  ${formatCode(reason.code, reason.data)}`),
  ];
  const rows = cluster.members.map((member) => [
    `  ${member.node}`,
    member.state,
    member.role ?? "–",
    member.standing,
    member.sync ? "sync" : "",
    member.lsn ?? "–",
    formatBytes(member.lagBytes),
    member.responseRatio === null ? "–" : member.responseRatio.r.toFixed(2),
  ]);
  return [...head, ...formatTable(["  member", "state", "role", "standing", "sync", "lsn", "lag", "R"], rows), ""];
}

function describeIncidents(incidents: readonly IncidentView[]): string[] {
  const nowMs = Date.now();
  return formatTable(
    ["incident", "severity", "phase", "what", "where", "began"],
    incidents.map((each) => [
      each.id,
      String(each.severity),
      each.phase,
      formatCode(each.cause.kind),
      each.cause.subject.id,
      formatAgo(each.beganAt, nowMs),
    ]),
  );
}
