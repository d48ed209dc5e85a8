import * as z from "zod/mini";
import { readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { filterText, queryInt, reasonOrEmpty, serviceName } from "../schemas.ts";
import type { HttpServices } from "../services.ts";
import { found } from "./fleet.ts";

const tenMinutesMs = 600_000;

const seriesQuery = z.object({
  fromMs: z.optional(queryInt(0, Number.MAX_SAFE_INTEGER)),
  toMs: z.optional(queryInt(0, Number.MAX_SAFE_INTEGER)),
  /** Names, separated by commas; all that there are when left out. */
  metrics: filterText,
  /** The calls to this service instead. */
  to: filterText,
});

/** Services, their calls and their sampled traces: what telemetry of the last half hour shows. */
export function serviceRoutes(services: HttpServices): Route[] {
  const { telemetry, clock } = services;
  return [
    defineRoute("GET /services", {
      summary: "All services and what they are known to call",
      handle: () => ({ items: telemetry.services() }),
    }),
    defineRoute("GET /services/:id", {
      summary: "One service with its calls, callers and log templates",
      handle: ({ param }) => found(telemetry.service(param("id")), "service", param("id")),
    }),
    defineRoute("GET /services/:id/series", {
      summary: "Figures of a service, or of its calls to another, by the second",
      query: seriesQuery,
      handle: ({ param, query }) => {
        const toMs = query.toMs ?? clock.wallMs();
        const fromMs = query.fromMs ?? toMs - tenMinutesMs;
        const names = (query.metrics ?? "").split(",").filter((name) => name !== "");
        const series =
          query.to === undefined
            ? telemetry.series(param("id"), names, fromMs, toMs)
            : telemetry.callSeries(param("id"), query.to, fromMs, toMs);
        return found(series, "service", param("id"));
      },
    }),
    defineRoute("GET /topology", {
      summary: "Services and hosts, and who calls whom: declared and observed",
      handle: () => telemetry.topology(),
    }),
    defineRoute("PUT /dependencies", {
      summary: "Declare that a service depends on another, or take it back",
      body: z.object({ from: serviceName, to: serviceName, declared: z.boolean(), reason: reasonOrEmpty }),
      handle: async ({ body, principal }) =>
        readReply(await services.control.request(actorOf(principal), { kind: "declare-dependency", ...body })),
    }),
    defineRoute("GET /spans/:id", {
      summary: "The sampled spans of a trace",
      handle: ({ param }) => ({ items: telemetry.trace(param("id")) }),
    }),
  ];
}
