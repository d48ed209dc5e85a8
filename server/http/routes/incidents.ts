import * as z from "zod/mini";
import { type Action, type Incident, type OperatorRequest, policyCauses } from "../../core/index.ts";
import type { ActionView, IncidentDetail, IncidentView, TraceGroupView } from "../../protocol/index.ts";
import { projectActionView, projectIncidentView } from "../../protocol/project-record.ts";
import { notFound, readReply } from "../problem.ts";
import { writeMarkdown } from "../report/markdown.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { cursor, filterText, limit, longText, reason, reasonOrEmpty } from "../schemas.ts";
import type { HttpServices } from "../services.ts";
import { namesSource } from "./traces.ts";

/** Traces around an incident: from a little before its first signal to a little after its end. */
const traceMarginMs = 60_000;
const tracesShown = 20;

export function incidentRoutes(services: HttpServices): Route[] {
  const { reads } = services;
  return [
    defineRoute("GET /incidents", {
      summary: "Incidents, newest first",
      query: z.object({ phase: filterText, cluster: filterText, cursor, limit }),
      async handle({ query }) {
        const page = await reads.incidents(query);
        return { items: page.items.map(projectIncidentView), nextCursor: page.nextCursor };
      },
    }),
    defineRoute("GET /incidents/:id", {
      summary: "The whole record of one incident",
      handle: ({ param }) => readDetail(services, param("id")),
    }),
    defineRoute("GET /incidents/:id/report", {
      summary: "The incident as a report to read or to keep",
      query: z.object({
        format: z._default(z.enum(["markdown", "json"]), "markdown"),
        locale: z._default(z.enum(["en", "zh-CN"]), "en"),
      }),
      async handle({ param, query }) {
        const detail = await readDetail(services, param("id"));
        const isJson = query.format === "json";
        const text = isJson
          ? `${JSON.stringify(detail, null, 2)}\n`
          : writeMarkdown(detail, query.locale, services.clock.wallMs());
        return new Response(text, {
          headers: {
            "content-type": isJson ? "application/json" : "text/markdown; charset=utf-8",
            "content-disposition": `inline; filename="${detail.incident.id}.${isJson ? "json" : "md"}"`,
            "cache-control": "no-store",
          },
        });
      },
    }),
    ...phaseRoutes(services),
  ];
}

/** What a person does with an incident; judged by the core like every other event. */
function phaseRoutes({ control }: HttpServices): Route[] {
  return [
    defineRoute("POST /incidents/:id/acknowledge", {
      summary: "Say that somebody is looking",
      handle: async ({ param, principal }) =>
        readReply(await control.request(actorOf(principal), { kind: "acknowledge-incident", incidentId: param("id") })),
    }),
    defineRoute("POST /incidents/:id/resolve", {
      summary: "Say that the system is as promised again",
      body: z.object({ reason: reasonOrEmpty }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), {
            kind: "resolve-incident",
            incidentId: param("id"),
            reason: body.reason,
          }),
        ),
    }),
    defineRoute("POST /incidents/:id/close", {
      summary: "Close a resolved incident",
      handle: async ({ param, principal }) =>
        readReply(await control.request(actorOf(principal), { kind: "close-incident", incidentId: param("id") })),
    }),
    defineRoute("POST /incidents/:id/reopen", {
      summary: "Open it again, with a reason",
      body: z.object({ reason }),
      async handle({ param, body, principal }) {
        const request: OperatorRequest = { kind: "reopen-incident", incidentId: param("id"), reason: body.reason };
        return readReply(await control.request(actorOf(principal), request));
      },
    }),
    defineRoute("POST /incidents/:id/recover", {
      summary: "Carry out what is suggested for the incident's cause",
      handle: async ({ param, principal }) =>
        readReply(await control.request(actorOf(principal), { kind: "recover-service", incidentId: param("id") })),
    }),
    defineRoute("GET /cause-policy", {
      summary: "What happens by itself once a cause is named",
      handle: () => ({ causes: control.causePolicy() }),
    }),
    defineRoute("PUT /cause-policy/:id", {
      summary: "Change what happens by itself once this cause is named",
      body: z.object({ mode: z.enum(["off", "suggest", "automatic"]), above: z.number().check(z.gte(0.5), z.lte(1)) }),
      async handle({ param, body, principal }) {
        const cause = param("id");
        if (!policyCauses.includes(cause)) throw notFound("cause", cause.slice(0, 60));
        return readReply(await control.request(actorOf(principal), { kind: "set-cause-policy", cause, rule: body }));
      },
    }),
    defineRoute("POST /incidents/:id/notes", {
      summary: "Add a note (Markdown)",
      body: z.object({ text: longText }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), { kind: "add-note", incidentId: param("id"), text: body.text }),
        ),
    }),
  ];
}

async function readDetail(services: HttpServices, id: string): Promise<IncidentDetail> {
  const { reads, control } = services;
  const incident = await reads.incident(id);
  if (incident === null) throw notFound("incident", id.slice(0, 60));
  const [timeline, actions, notes, traces] = await Promise.all([
    reads.timeline(id),
    reads.actions({ incidentId: id, limit: 200 }),
    reads.notes(id),
    readTraces(services, incident),
  ]);
  const current: IncidentView = control.listIncidents().find((each) => each.id === id) ?? projectIncidentView(incident);
  return {
    incident: current,
    timeline,
    actions: actions.map((each) => viewAction(services, each, incident)),
    notes,
    traces,
  };
}

function viewAction({ control }: HttpServices, action: Action, incident: Incident): ActionView {
  return control.findAction(action.id) ?? projectActionView(action, incident);
}

/** Traces of the nodes and services that the incident names, within its time. */
async function readTraces({ traces, clock, control }: HttpServices, incident: Incident): Promise<TraceGroupView[]> {
  const { cluster } = incident;
  const ofCluster = control.listNodes().filter((node) => cluster !== null && node.cluster === cluster);
  const nodes = new Set(ofCluster.map(({ id }) => id));
  const groups = await traces.groups({
    fromMs: incident.beganAt - traceMarginMs,
    toMs: (incident.resolvedAt ?? clock.wallMs()) + traceMarginMs,
    limit: 200,
  });
  return groups
    .filter((group) => namesSource(incident, group) || group.nodes.some((node) => nodes.has(node)))
    .slice(0, tracesShown);
}
