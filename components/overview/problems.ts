import type {
  ActionView,
  ClusterView,
  HealthState,
  IncidentView,
  NodeView,
  SystemView,
} from "../../server/protocol/index.ts";
import { compareUrgency } from "../ui/state-urgency.ts";
import { type Coded, coded } from "./coded.ts";

/** The whole picture, as the feed holds it. */
export interface Picture {
  readonly nodes: readonly NodeView[];
  readonly clusters: readonly ClusterView[];
  readonly incidents: readonly IncidentView[];
  readonly actions: readonly ActionView[];
  readonly system: SystemView | undefined;
}

export interface Problem {
  readonly key: string;
  /** Decides glyph and order. */
  readonly state: HealthState;
  readonly severity: number;
  readonly title: Coded;
  readonly text: Coded | null;
  readonly since: number;
  readonly href: string;
  /** Key below `problems.button.` */
  readonly button: "openIncident" | "openCluster" | "openNode";
}

/**
 * Everything that deserves a person's eye, most urgent first: open incidents, then clusters and nodes that are not well and
 * that no open incident speaks of already. One fault is one line.
 */
export function findProblems(picture: Picture): readonly Problem[] {
  let problems = found.get(picture);
  if (problems === undefined) {
    problems = listProblems(picture);
    found.set(picture, problems);
  }
  return problems;
}

/** Pictures don't change; several readers ask about the same one. */
const found = new WeakMap<Picture, readonly Problem[]>();

function listProblems(picture: Picture): readonly Problem[] {
  const open = picture.incidents.filter(isOpen);
  const told = coveredBy(open);
  const problems = [
    ...open.map((incident) => incidentProblem(incident, picture)),
    ...picture.clusters
      .filter((cluster) => isUnwell(cluster.state) && !told.has(`cluster:${cluster.id}`))
      .map(clusterProblem),
    ...picture.nodes.filter((node) => isUnwell(node.state) && !told.has(`node:${node.id}`)).map(nodeProblem),
  ];
  return problems.sort(
    (a, b) =>
      compareUrgency(a.state, b.state) || a.severity - b.severity || b.since - a.since || (a.key < b.key ? -1 : 1),
  );
}

export function isOpen(incident: IncidentView): boolean {
  return incident.phase === "open" || incident.phase === "acknowledged" || incident.phase === "mitigated";
}

function isUnwell(state: HealthState): boolean {
  return state !== "healthy";
}

/** Subjects that open incidents speak of; a cluster's incident speaks for the cluster. */
function coveredBy(incidents: readonly IncidentView[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const incident of incidents) {
    if (incident.cluster !== null) keys.add(`cluster:${incident.cluster}`);
    for (const verdict of [incident.cause, ...incident.symptoms])
      keys.add(`${verdict.subject.kind}:${verdict.subject.id}`);
  }
  return keys;
}

function incidentProblem(incident: IncidentView, picture: Picture): Problem {
  const cluster = picture.clusters.find(({ id }) => id === incident.cluster);
  return {
    key: `incident:${incident.id}`,
    state: incidentState(incident),
    severity: incident.severity,
    title: incidentTitle(incident),
    text: incidentProgress(incident, picture, cluster),
    since: incident.beganAt,
    href: `/incidents/${incident.id}`,
    button: "openIncident",
  };
}

/** Red only while it hurts: a recovered incident that still has something to do is a triangle. */
export function incidentState(incident: Pick<IncidentView, "phase" | "severity">): HealthState {
  if (incident.phase === "resolved" || incident.phase === "closed") return "healthy";
  if (incident.phase === "mitigated" || incident.severity >= 3) return "degraded";
  return "down";
}

/** What happened, as one clause. */
export function incidentTitle(incident: Pick<IncidentView, "cause" | "cluster">): Coded {
  const { cause } = incident;
  return coded("incidentTitle", cause.kind, { subject: cause.subject.id, cluster: incident.cluster ?? cause.cluster });
}

function incidentProgress(incident: IncidentView, picture: Picture, cluster: ClusterView | undefined): Coded | null {
  const running = picture.actions.find(
    (action) => incident.actionIds.includes(action.id) && action.phase === "running",
  );
  if (running !== undefined) {
    const step = running.steps.findLast((each) => each.status === "running");
    return coded("progress", running.kind, {
      target: running.target,
      from: running.from,
      step: step?.kind ?? running.state,
      percent: step?.progress == null ? null : Math.round(step.progress * 100),
    });
  }
  const stuck = picture.actions.find(
    (action) => incident.actionIds.includes(action.id) && action.phase === "needs-operator",
  );
  if (stuck !== undefined && incident.phase !== "mitigated")
    return coded("progress", "needs-operator", { target: stuck.target });
  const fenced = cluster?.members.find((member) => member.standing === "fenced" || member.standing === "quarantined");
  if (fenced !== undefined && incident.phase === "mitigated") {
    const gone = picture.nodes.some((node) => node.id === fenced.node && (!node.connected || node.state === "down"));
    return coded("progress", gone ? "awaiting-node" : "awaiting-rejoin", { node: fenced.node });
  }
  if (cluster !== undefined && incident.phase !== "mitigated" && cluster.automation.state !== "on") {
    return coded("progress", "held", { cluster: cluster.id });
  }
  return coded("progress", incident.phase, {});
}

function clusterProblem(cluster: ClusterView): Problem {
  const reason = cluster.reasons[0];
  return {
    key: `cluster:${cluster.id}`,
    state: cluster.state,
    severity: 3,
    title: coded("problems", `cluster-${cluster.state}`, { cluster: cluster.id }),
    text: reason === undefined ? null : coded("reason", reason.code, reason.data),
    since: cluster.stateSince,
    href: `/clusters/${encodeURIComponent(cluster.id)}`,
    button: "openCluster",
  };
}

function nodeProblem(node: NodeView): Problem {
  const reason = node.reasons[0];
  return {
    key: `node:${node.id}`,
    state: node.state,
    severity: 4,
    title: coded("problems", `node-${node.state}`, { node: node.id }),
    text: reason === undefined ? null : coded("reason", reason.code, reason.data),
    since: node.stateSince,
    href: `/nodes/${encodeURIComponent(node.id)}`,
    button: "openNode",
  };
}
