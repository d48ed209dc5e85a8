import type { Exhibit, Evidence as Recorded } from "../../incident/types.ts";
import type { Evidence } from "../evidence.ts";
import type { Series, TelemetryWindow } from "../telemetry.ts";
import type { FaultFacts, LoggedFact, ServiceFacts } from "./facts.ts";

/** Samples of an excerpt: enough to see the deviation, few enough for the record. */
const samplesShown = 60;
const exampleLength = 400;

/**
 * The localizer's evidence as the incident keeps it: a code with its values, who saw it, and the excerpt that shows it. What stands for a node
 * that sends no spans was measured by its callers, who are its observers: it may as well be their own fault, or the way between.
 */
export function recordEvidence(
  node: string,
  evidence: Evidence,
  window: TelemetryWindow,
  service: ServiceFacts | undefined,
): Recorded {
  const measuredBy = service?.tracesItself === true ? node : (callerOf(window, node) ?? "control-plane");
  const make = (code: string, data: Recorded["data"], exhibit: Exhibit | null, observer = node): Recorded => ({
    code,
    observer,
    stance: "for",
    data,
    ...(exhibit === null ? {} : { exhibit }),
  });
  switch (evidence.kind) {
    case "resource-excess": {
      const { resource, metric, before, after } = evidence;
      const exhibit = excerpt(window, node, metric, before);
      if (/bytes/i.test(metric))
        return make(`excess-${resource}-bytes`, { beforeBytes: round(before), afterBytes: round(after) }, exhibit);
      return make(`excess-${resource}`, { metric, before: round(before), after: round(after) }, exhibit);
    }
    case "excess-latency": {
      const { metric, before, after, share } = evidence;
      const data = { beforeMs: round(before * 1_000), afterMs: round(after * 1_000), sharePercent: percent(share) };
      return make("excess-latency", data, excerpt(window, node, metric, before), measuredBy);
    }
    case "lost-requests": {
      const { metric, before, after, share } = evidence;
      const data = { before: round(before), after: round(after), sharePercent: percent(share) };
      return make("lost-requests", data, excerpt(window, node, metric, before), measuredBy);
    }
    case "new-dependency":
      return make(
        "new-dependency",
        { callee: evidence.callee, sharePercent: percent(evidence.share) },
        null,
        measuredBy,
      );
    case "self-time-excess": {
      const { op, beforeMs, afterMs, spans } = evidence;
      const exhibit = { kind: "spans", op, from: node, to: node, beforeMs, afterMs, count: spans } as const;
      return make("self-time-excess", { op, beforeMs: round(beforeMs), afterMs: round(afterMs) }, exhibit, measuredBy);
    }
    case "network-gap": {
      const { peers, beforeMs, afterMs } = evidence;
      const [peer = node] = peers;
      const exhibit = { kind: "spans", op: "", from: peer, to: node, beforeMs, afterMs, count: peers.length } as const;
      const data = { peers: peers.slice(0, 5).join(", "), beforeMs: round(beforeMs), afterMs: round(afterMs) };
      return make("network-gap", data, exhibit, peer);
    }
    case "child-span-missing":
    case "child-span-new": {
      const { child, op, before, after, seenBy } = evidence;
      const data = { child, op, beforePercent: percent(before), afterPercent: percent(after) };
      return make(evidence.kind, data, null, seenBy[0] ?? measuredBy);
    }
    case "log-template-missing":
    case "log-template-new": {
      const { text, level, op, before, after, seenBy } = evidence;
      const data = { text: text.slice(0, 200), op, beforePercent: percent(before), afterPercent: percent(after) };
      const logged = service?.logs.find((log) => log.text === text);
      const exhibit: Exhibit | null =
        logged === undefined
          ? {
              kind: "log",
              subject: node,
              level,
              text: text.slice(0, exampleLength),
              example: "",
              traceId: null,
              count: 0,
            }
          : logExhibit(node, logged);
      return make(evidence.kind, data, exhibit, seenBy[0] ?? node);
    }
    default:
      return evidence satisfies never;
  }
}

function callerOf({ edges }: TelemetryWindow, node: string): string | undefined {
  return edges.find(([from, to]) => to === node && from !== node)?.[0];
}

/** A new error in a service's own log. */
export function recordLog(service: string, log: LoggedFact, stance: Recorded["stance"] = "for"): Recorded {
  return {
    code: "logs-new-error",
    observer: service,
    stance,
    data: { text: firstLine(log.example).slice(0, 200), count: log.count },
    at: log.firstSeenAt,
    exhibit: logExhibit(service, log),
  };
}

export function recordRelease({ name, version, versionSince }: ServiceFacts, { faultAt }: FaultFacts): Recorded {
  const since = versionSince ?? faultAt;
  return {
    code: "release-changed",
    observer: name,
    stance: "for",
    data: { version: version ?? "", beforeMs: Math.max(0, faultAt - since) },
    at: since,
    exhibit: { kind: "release", subject: name, version: version ?? "", since },
  };
}

function logExhibit(subject: string, log: LoggedFact): Exhibit {
  return {
    kind: "log",
    subject,
    level: log.level,
    text: log.text.slice(0, exampleLength),
    example: log.example.slice(0, exampleLength),
    traceId: log.traceId,
    count: log.count,
  };
}

/** The samples around the fault, as measured. */
function excerpt(window: TelemetryWindow, node: string, metric: string, normal: number): Exhibit | null {
  const series: Series | undefined = window.current.metrics[node]?.[metric];
  if (series === undefined || series.timesS.length === 0) return null;
  const from = Math.max(0, series.timesS.length - samplesShown);
  return {
    kind: "series",
    subject: node,
    metric,
    fromAt: series.timesS[from]! * 1_000,
    stepMs: window.stepS * 1_000,
    values: series.values.slice(from).map((value) => (Number.isFinite(value) ? round(value) : null)),
    normal: round(normal),
    faultAt: window.faultTimeS * 1_000,
  };
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

/** Three significant digits: a record is read by people. */
function round(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : 0;
}

function percent(share: number): number {
  return Math.round(share * 1_000) / 10;
}
