import type { Command } from "commander";
import type { TraceGroupDetail, TraceListItem } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { formatAgo, formatCode, formatInstant, formatTable, print } from "./print.ts";

/** Groups of error traces, and what belongs together. */
export function addTraces(program: Command, api: () => Api, readCount: (text: string) => number): void {
  const traces = program.command("traces").alias("trace").description("errors in the code of services, by group");
  traces
    .command("list", { isDefault: true })
    .option("--service <name>", "only of this service")
    .option("--node <name>", "only seen on this node")
    .option("--search <text>", "part of a type, message, function or file")
    .option("--sort <how>", "last-seen, first-seen or count", "last-seen")
    .option("--range <range>", "of the trend: hour, day or fortnight", "day")
    .option("--limit <n>", "how many", readCount, 50)
    .option("--json", "print JSON", false)
    .action((options: TraceOptions) => listTraces(api(), options));
  traces
    .command("show <group>")
    .description("frames, nodes, incidents and what it was merged from")
    .option("--json", "print JSON", false)
    .action((id: string, { json }: { json: boolean }) => showTrace(api(), id, json));
  traces
    .command("merge <into> <from...>")
    .description("make other groups part of the first one; their later traces follow")
    .option("--reason <text>", "why: it stands in the audit", "")
    .option("--json", "print JSON", false)
    .action(async (into: string, from: string[], { reason, json }: { reason: string; json: boolean }) => {
      const done = await api().send("POST", `traces/${encodeURIComponent(into)}/merge`, { from, reason });
      print(json, done, () => ["Merged."]);
    });
  traces
    .command("split <group> <part>")
    .description("make a part of a merged group a group of its own again")
    .option("--reason <text>", "why: it stands in the audit", "")
    .option("--json", "print JSON", false)
    .action(async (group: string, part: string, { reason, json }: { reason: string; json: boolean }) => {
      const done = await api().send("POST", `traces/${encodeURIComponent(group)}/split`, { part, reason });
      print(json, done, () => ["Split off."]);
    });
}

interface TraceOptions {
  readonly service?: string;
  readonly node?: string;
  readonly search?: string;
  readonly sort: string;
  readonly range: string;
  readonly limit: number;
  readonly json: boolean;
}

async function listTraces(api: Api, options: TraceOptions): Promise<void> {
  const query = new URLSearchParams({ sort: options.sort, range: options.range, limit: String(options.limit) });
  if (options.service !== undefined) query.set("service", options.service);
  if (options.node !== undefined) query.set("node", options.node);
  if (options.search !== undefined) query.set("q", options.search);
  const { items } = await api.get<{ items: readonly TraceListItem[] }>(`traces?${query}`);
  const nowMs = Date.now();
  print(options.json, items, () =>
    items.length === 0
      ? ["No traces."]
      : formatTable(
          ["group", "service", "type", "in range", "in all", "trend", "last seen", "first seen", "nodes", "message"],
          items.map((group) => [
            group.id,
            group.service,
            group.type,
            String(group.trend.counts.reduce((sum, count) => sum + count, 0)),
            String(group.count),
            drawTrend(group.trend.counts),
            formatAgo(group.lastSeenAt, nowMs),
            formatAgo(group.firstSeenAt, nowMs),
            String(group.nodes.length),
            group.message,
          ]),
        ),
  );
}

async function showTrace(api: Api, id: string, json: boolean): Promise<void> {
  const detail = await api.get<TraceGroupDetail>(`traces/${encodeURIComponent(id)}`);
  const { group } = detail;
  print(json, detail, () => [
    ...formatTable(
      [group.type],
      [
        [group.message],
        [`${group.service} (${group.language}), ${group.count} times on ${group.nodes.join(", ")}`],
        [`first ${formatInstant(group.firstSeenAt)}, last ${formatInstant(group.lastSeenAt)}`],
        [`one group by ${group.why.map((code) => formatCode(code)).join(", ")}`],
      ],
    ),
    "",
    ...formatTable(
      ["function", "file"],
      group.frames.map((frame) => [frame.function, frame.line === null ? frame.file : `${frame.file}:${frame.line}`]),
    ),
    ...section(
      "merged from",
      detail.parts.length < 2 ? [] : detail.parts.map((part) => [part.id, part.service, part.type, String(part.count)]),
    ),
    ...section(
      "incidents",
      detail.incidents.map((incident) => [incident.id, incident.phase, formatCode(incident.cause.kind)]),
    ),
  ]);
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ["", ...formatTable([title], rows)];
}

const blocks = " ▁▂▃▄▅▆▇█";

/** Bars of one character each. */
function drawTrend(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  const shown = counts.slice(-24);
  return shown.map((count) => blocks[count === 0 ? 0 : Math.max(1, Math.round((count / most) * 8))]).join("");
}
