import { setImmediate as yieldToLoop } from "node:timers/promises";
import * as z from "zod/mini";
import { type Firing, findRule, type History, type MetricId, type Rule, replayRule } from "../../core/index.ts";
import type { ReplayView, RuleView } from "../../protocol/index.ts";
import { notFound, Problem, readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { reasonOrEmpty } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const dayMs = 86_400_000;
const stepMs = 60_000;
/** Reading and judging one subject over three days takes some milliseconds; others wait meanwhile. */
const subjectsReplayed = 100;
const firingsShown = 200;

const number = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
const numbers = z.object({
  enabled: z.boolean(),
  raise: number,
  clear: number,
  raiseForMs: number,
  clearForMs: number,
  floor: z.nullable(number),
});

/** Monitoring rules: what they say now, their numbers, and what other numbers would have said. */
export function policyRoutes(services: HttpServices): Route[] {
  const { control } = services;
  return [
    defineRoute("GET /policies", {
      summary: "Every monitoring rule with its numbers and what it says now",
      handle: () => ({ items: control.listRules() }),
    }),
    defineRoute("PUT /policies/:id", {
      summary: "Set the numbers of a rule; null brings the defaults back",
      body: z.object({ numbers: z.nullable(numbers), reason: reasonOrEmpty }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), {
            kind: "set-monitor-rule",
            rule: param("id"),
            numbers: body.numbers,
            reason: body.reason,
          }),
        ),
    }),
    defineRoute("POST /policies/:id/replay", {
      summary: "When the rule would have been raised over the last days, with its present numbers and with others",
      body: z.object({ numbers, days: z._default(z.int().check(z.gte(1), z.lte(3)), 3) }),
      async handle({ param, body }) {
        const rule = control.listRules().find((each) => each.id === param("id"));
        if (rule === undefined) throw notFound("rule", param("id").slice(0, 60));
        return replay(services, rule, { ...rule, ...body.numbers }, body.days);
      },
    }),
  ];
}

async function replay(services: HttpServices, now: RuleView, proposed: Rule, days: number): Promise<ReplayView> {
  if (findRule(now.id) === null) throw new Problem(404, "unknown-rule", `There is no rule named ${now.id}.`);
  const toMs = services.clock.wallMs();
  const fromMs = toMs - days * dayMs;
  const all = listSubjects(services, now);
  const before: Firing[] = [];
  const after: Firing[] = [];
  let samples = 0;
  let oldest: number | null = null;
  for (const subject of all.slice(0, subjectsReplayed)) {
    const history = await readHistory(services, subject, now.metric, fromMs, toMs);
    samples += history.t.length;
    oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, history.t[0] ?? Number.POSITIVE_INFINITY);
    before.push(...replayRule(now, [history]));
    after.push(...replayRule(proposed, [history]));
    await yieldToLoop();
  }
  return {
    fromMs,
    toMs,
    oldestAt: oldest !== null && Number.isFinite(oldest) ? oldest : null,
    subjects: Math.min(all.length, subjectsReplayed),
    leftOut: Math.max(0, all.length - subjectsReplayed),
    samples,
    before: summarize(before, toMs),
    after: summarize(after, toMs),
  };
}

function listSubjects({ control, telemetry }: HttpServices, rule: RuleView): string[] {
  if (rule.subject === "service") return telemetry.services().map((service) => `service:${service.name}`);
  return control.listNodes().map((node) => `node:${node.id}`);
}

/** The hours left are worked out from the share, as they were live. */
async function readHistory(
  { samples }: HttpServices,
  subject: string,
  metric: MetricId,
  fromMs: number,
  toMs: number,
): Promise<History> {
  const name = metric === "diskHoursLeft" ? "diskShare" : metric;
  const { t, series } = await samples.readSeries(subject, [name], fromMs, toMs, stepMs);
  return { subject, t, columns: { [name]: series[name] ?? [] } };
}

function summarize(firings: readonly Firing[], toMs: number): ReplayView["before"] {
  const raisedMs = firings.reduce((sum, firing) => sum + ((firing.toMs ?? toMs) - firing.fromMs), 0);
  return { count: firings.length, raisedMs, firings: firings.slice(-firingsShown) };
}
