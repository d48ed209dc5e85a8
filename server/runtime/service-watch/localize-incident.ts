import { type FaultLocalized, faultyPeriods, type Incident, type State } from "../../core/index.ts";
import { explain } from "../../core/localization/explain/explain.ts";
import type { FaultFacts, ServiceFacts } from "../../core/localization/explain/facts.ts";
import { localize } from "../../core/localization/localize.ts";
import type { ServiceSupervisor } from "../../ports/service-supervisor.ts";
import type { TelemetryStore, WindowOptions } from "../../ports/telemetry.ts";
import { remedyFor } from "./remedy.ts";

const stepS = 2;
/** Short, so that little is lost of what is normal when a fault comes soon after the start. */
const beforeS = 20;
/** Log templates that began this long before the supposed fault count as new. */
const newLogMs = 15_000;
const logsShown = 5;

export interface LocalizeParts {
  readonly state: State;
  readonly telemetry: TelemetryStore;
  readonly supervisor: ServiceSupervisor | null;
  wallMs(): number;
  monoMs(): number;
}

/** Asks the telemetry about an open incident. Null when nothing was heard. */
export function localizeIncident(parts: LocalizeParts, incident: Incident): FaultLocalized | null {
  const { state, telemetry, supervisor } = parts;
  const startedMs = parts.monoMs();
  const now = parts.wallMs();
  const window = telemetry.window(incident.beganAt / 1_000, {
    stepS,
    beforeS,
    exclude: faultyPeriods(state, incident, now).map(([from, to]) => [from / 1_000, to / 1_000]),
    ...targetOf(incident),
  });
  if (window === null) return null;
  const ranking = localize(window);
  const facts = collectFacts(telemetry, incident, now);
  const { suspects, localization } = explain(window, ranking, facts, parts.monoMs() - startedMs);
  const remedy = suspects[0] === undefined ? null : remedyFor(suspects[0], state, supervisor);
  return { kind: "fault-localized", incidentId: incident.id, suspects, localization, remedy };
}

/** The indicator that users feel. Without one (memory that grows) whatever stands out is asked. */
function targetOf({ cause }: Incident): Pick<WindowOptions, "target"> {
  const metrics: Readonly<Record<string, string>> = { "latency-p95": "latency_p95", "error-share": "error_percent" };
  const metric = cause.evidence.map(({ code }) => metrics[code]).find((each) => each !== undefined);
  return metric === undefined ? {} : { target: { node: cause.subject.id, metric } };
}

function collectFacts(telemetry: TelemetryStore, incident: Incident, now: number): FaultFacts {
  const faultAt = incident.beganAt;
  const services = telemetry.services().map(
    ({ name, kind, version, versionSince, tracesItself, gauges }): ServiceFacts => ({
      name,
      kind,
      version,
      versionSince,
      tracesItself,
      measuresItself: Object.keys(gauges).length > 0,
      logs: telemetry
        .logTemplates(name, faultAt - newLogMs, now)
        .filter((log) => log.firstSeenAt >= faultAt - newLogMs && (log.level === "error" || log.level === "fatal"))
        .sort((a, b) => b.count - a.count)
        .slice(0, logsShown),
    }),
  );
  return { entry: incident.cause.subject.id, faultAt, now, services };
}
