import * as z from "zod/mini";
import type { AuditDraft, Incident } from "../../core/index.ts";
import type { Principal } from "../../ports/access.ts";
import type { Regrouped, TrendWindow } from "../../ports/traces.ts";
import type { IncidentView, TraceGroupDetail, TraceGroupView, TraceRange, TraceTrend } from "../../protocol/index.ts";
import { projectIncidentView } from "../../protocol/project-record.ts";
import { notFound, Problem } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { filterText, limit, queryInt, reasonOrEmpty } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const minuteMs = 60_000;
const hourMs = 3_600_000;
/** Traces around an incident: from a little before its first signal to a little after its end. */
const marginMs = 60_000;
const incidentsSearched = 200;
const incidentsShown = 20;
const maxMerged = 50;

const groupId = z.string().check(z.regex(/^[0-9a-f]{16}$/));

/** The bars of each range, up to the present one. */
export function trendWindow(range: TraceRange, nowMs: number): TrendWindow {
  if (range === "hour") return alignWindow(nowMs, minuteMs, 60, minuteMs);
  return range === "day" ? alignWindow(nowMs, hourMs, 24, hourMs) : alignWindow(nowMs, 12 * hourMs, 28, hourMs);
}

function alignWindow(nowMs: number, barMs: number, bars: number, stepMs: TrendWindow["stepMs"]): TrendWindow {
  return { fromMs: Math.floor(nowMs / barMs) * barMs - (bars - 1) * barMs, barMs, bars, stepMs };
}

export function traceRoutes(services: HttpServices): Route[] {
  const { traces, clock } = services;
  return [
    defineRoute("GET /traces", {
      summary: "Error traces by group, each with its trend",
      query: z.object({
        node: filterText,
        service: filterText,
        q: filterText,
        fromMs: z.optional(queryInt(0, Number.MAX_SAFE_INTEGER)),
        toMs: z.optional(queryInt(0, Number.MAX_SAFE_INTEGER)),
        sort: z._default(z.enum(["last-seen", "first-seen", "count"]), "last-seen"),
        range: z._default(z.enum(["hour", "day", "fortnight"]), "day"),
        limit,
      }),
      async handle({ query: { q, range, ...filter } }) {
        const search = q === undefined || q.trim() === "" ? {} : { search: q.trim() };
        const window = trendWindow(range, clock.wallMs());
        const [items, names] = await Promise.all([
          traces.groupsWithTrend({ ...filter, ...search }, window),
          traces.services(),
        ]);
        return { items, services: names };
      },
    }),
    defineRoute("GET /traces/:id", {
      summary: "A group of error traces: frames, why it is one, examples, nodes, trends and incidents",
      handle: ({ param }) => readDetail(services, param("id")),
    }),
    defineRoute("POST /traces/:id/merge", {
      summary: "Merge other groups into this one; their later traces follow",
      body: z.object({ from: z.array(groupId).check(z.minLength(1), z.maxLength(maxMerged)), reason: reasonOrEmpty }),
      async handle({ param, body, principal }) {
        const into = param("id");
        const after = { merged: body.from.join(", ") };
        const draft = describeChange(services, principal, "traces-merged", into, { after, reason: body.reason });
        return answer(await traces.merge(into, [...new Set(body.from)], draft), into);
      },
    }),
    defineRoute("POST /traces/:id/split", {
      summary: "Make a part of a merged group a group of its own again",
      body: z.object({ part: groupId, reason: reasonOrEmpty }),
      async handle({ param, body, principal }) {
        const into = param("id");
        const before = { merged: body.part };
        const draft = describeChange(services, principal, "trace-split", into, { before, reason: body.reason });
        return answer(await traces.split(body.part, draft), body.part);
      },
    }),
  ];
}

function describeChange(
  { clock }: HttpServices,
  principal: Principal | null,
  verb: string,
  group: string,
  change: Pick<AuditDraft, "reason"> & Partial<Pick<AuditDraft, "before" | "after">>,
): AuditDraft {
  const actor = actorOf(principal);
  const base = { at: clock.wallMs(), actor: actor.name, actorRole: actor.role, verb, subject: `traces:${group}` };
  return { before: null, after: null, ...base, ...change };
}

function answer(result: Regrouped, id: string): { done: true } {
  switch (result) {
    case "done":
      return { done: true };
    case "unknown-trace-group":
      throw notFound("trace-group", id.slice(0, 60));
    case "same-trace-group":
      throw new Problem(409, result, "These traces are one group already.");
    case "not-merged":
      throw new Problem(409, result, "This is a group of its own already: nothing to split.");
    default:
      return result satisfies never;
  }
}

async function readDetail(services: HttpServices, id: string): Promise<TraceGroupDetail> {
  const { traces, clock } = services;
  const found = await traces.group(id);
  if (found === null) throw notFound("trace-group", id.slice(0, 60));
  const nowMs = clock.wallMs();
  const trend = (range: TraceRange) => traces.trend(found.group.id, trendWindow(range, nowMs));
  const [hour, day, fortnight, incidents] = await Promise.all([
    trend("hour"),
    trend("day"),
    trend("fortnight"),
    findIncidents(services, found.group, nowMs),
  ]);
  return { ...found, trends: { hour, day, fortnight }, incidents };
}

/** Incidents of a node where the error was seen, in whose time it was seen: by the minute lately, by the hour before. */
async function findIncidents(
  { reads, traces, control }: HttpServices,
  group: TraceGroupView,
  nowMs: number,
): Promise<IncidentView[]> {
  const [{ items }, minutes, hours] = await Promise.all([
    reads.incidents({ limit: incidentsSearched }),
    traces.trend(group.id, alignWindow(nowMs, minuteMs, 170, minuteMs)),
    traces.trend(group.id, alignWindow(nowMs, hourMs, 14 * 24, hourMs)),
  ]);
  const clusters = new Set(
    control
      .listNodes()
      .flatMap((node) => (group.nodes.includes(node.id) && node.cluster !== null ? [node.cluster] : [])),
  );
  return items
    .filter((incident) => namesSource(incident, group) || clusters.has(incident.cluster ?? ""))
    .filter((incident) => {
      const fromMs = incident.beganAt - marginMs;
      const toMs = (incident.resolvedAt ?? nowMs) + marginMs;
      return wasSeen(fromMs >= minutes.fromMs ? minutes : hours, fromMs, toMs);
    })
    .slice(0, incidentsShown)
    .map(projectIncidentView);
}

/** Whether the incident is about where these errors came from: one of their nodes, or their service. */
export function namesSource(
  { cause, symptoms, suspects }: Incident,
  { service, nodes }: Pick<TraceGroupView, "service" | "nodes">,
): boolean {
  return [cause, ...symptoms, ...suspects].some(({ subject }) => {
    if (subject.kind === "node") return nodes.includes(subject.id);
    return subject.kind === "service" && subject.id === service;
  });
}

function wasSeen({ fromMs, stepMs, counts }: TraceTrend, beganMs: number, endedMs: number): boolean {
  return counts.some((count, index) => {
    const at = fromMs + index * stepMs;
    return count > 0 && at <= endedMs && at + stepMs > beganMs;
  });
}
