import { titleOf } from "../../core/incident/title.ts";
import type { Evidence, Incident, Suspect, TimelineEntry, Verdict } from "../../core/index.ts";
import type { ActionView, IncidentDetail } from "../../protocol/index.ts";
import { type ReportLocale, type Words, wordsFor } from "./words.ts";

const timelineLimit = 500;

/** The incident as a story to read: what, how bad, why, when, what was done and what was not. `at`: wall clock of the report. */
export function writeMarkdown(detail: IncidentDetail, locale: ReportLocale, at: number): string {
  const words = wordsFor(locale);
  const { incident } = detail;
  const sections = [
    `# ${incident.id}: ${escapeMarkdown(sayTitle(words, incident))}`,
    `${words.say("severity", { severity: incident.severity })} · ${words.say(`phase.${incident.phase}`)}`,
    section(words, "summary", [summaryOf(words, detail)]),
    section(words, "impact", impactOf(words, incident)),
    section(words, "cause", causesOf(words, incident)),
    ...(incident.symptoms.length === 0 ? [] : [section(words, "symptoms", symptomsOf(words, incident))]),
    section(words, "timeline", timelineOf(words, detail.timeline)),
    section(words, "actions", actionsOf(words, detail.actions)),
    section(words, "notDone", notDoneOf(words, detail)),
    ...(detail.traces.length === 0 ? [] : [section(words, "traces", tracesOf(detail))]),
    section(words, "notes", notesOf(words, detail)),
    `_${words.say("generated", { at: words.instant(at) })}_`,
  ];
  return `${sections.join("\n\n")}\n`;
}

function section(words: Words, key: string, lines: readonly string[]): string {
  return `## ${words.say(key)}\n\n${lines.join("\n")}`;
}

function sayTitle(words: Words, incident: Incident): string {
  const { code, named, data } = titleOf(incident);
  return words.code(
    "incidentTitle",
    code,
    named === null ? data : { ...data, named: words.code("suspectCause", named) },
  );
}

function summaryOf(words: Words, { incident, actions }: IncidentDetail): string {
  const parts = [`${sayTitle(words, incident)}.`];
  const { beganAt, resolvedAt, phase } = incident;
  if (resolvedAt === null) parts.push(words.say("summaryOpen", { beganAt, phase: words.say(`phase.${phase}`) }));
  else parts.push(words.say("summaryResolved", { beganAt, durationMs: resolvedAt - beganAt }));
  for (const action of actions) {
    if (action.kind !== "failover" && action.kind !== "switchover") continue;
    const durationMs = action.endedAt === null ? null : action.endedAt - action.startedAt;
    const kind = words.code("actionKind", action.kind);
    parts.push(words.say("summaryAction", { kind, phase: words.code("actionPhase", action.phase), durationMs }));
  }
  return escapeMarkdown(parts.join(" "));
}

function impactOf(words: Words, { impact }: Incident): string[] {
  const lines: string[] = [];
  const { writesUnavailableFrom: from, writesUnavailableTo: to, writesUnavailableMs } = impact;
  if (from !== null) {
    const durationMs = writesUnavailableMs ?? (to === null ? null : to - from);
    const values = { from: words.instant(from), to: words.instant(to), durationMs };
    lines.push(words.say(to === null ? "impactWritesOpen" : "impactWrites", values));
  }
  const { acknowledgedLost: lost, acknowledged } = impact;
  if (lost !== null) lines.push(words.say("impactLost", { lost, acknowledged: words.number(acknowledged) }));
  else if (from !== null) lines.push(words.say("impactLostUnknown"));
  if (impact.redundancyReducedFrom !== null) {
    const values = {
      from: words.instant(impact.redundancyReducedFrom),
      to: words.instant(impact.redundancyReducedTo),
    };
    lines.push(words.say(impact.redundancyReducedTo === null ? "impactRedundancyOpen" : "impactRedundancy", values));
  }
  return bullets(lines.length === 0 ? [words.say("impactNone")] : lines);
}

function causesOf(words: Words, incident: Incident): string[] {
  if (incident.suspects.length === 0)
    return [...verdictLines(words, incident.cause, 1), ...searchLines(words, incident)];
  return [
    ...incident.suspects.flatMap((suspect, index) => suspectLines(words, suspect, index + 1)),
    ...searchLines(words, incident),
  ];
}

/** The way the fault came, what is missing to be sure, and what was done about it. */
function searchLines(words: Words, { localization, recovery }: Incident): string[] {
  const lines: string[] = [];
  const { path = [], missing = [] } = localization ?? {};
  if (path.length > 1) lines.push(words.say("pathOf", { path: path.join(" → ") }));
  if (missing.length > 0) {
    const what = missing.map(({ code, data }) => words.code("wouldSettle", code, data)).join("; ");
    lines.push(words.say("missing", { what }));
  }
  if (recovery && recovery.state !== "offered") {
    const kind = `${recovery.action}-${recovery.state}`;
    const { service, leaves = null, target = null, detail } = recovery;
    lines.push(words.code("timeline", kind, { service, leaves, target, detail }));
  }
  return lines.length === 0 ? [] : ["", ...bullets(lines.map((line) => escapeMarkdown(line)))];
}

function suspectLines(words: Words, suspect: Suspect, rank: number): string[] {
  const name = `${suspect.subject.id}: ${words.code("suspectCause", suspect.cause)}`;
  return ranked(words, rank, name, suspect.class, suspect.confidence, suspect.evidence);
}

function verdictLines(words: Words, verdict: Verdict, rank: number): string[] {
  const name = `${verdict.subject.id}: ${words.code("verdict", verdict.kind)}`;
  return ranked(words, rank, name, verdict.class, verdict.confidence, verdict.evidence);
}

function ranked(
  words: Words,
  rank: number,
  name: string,
  faultClass: string,
  confidence: number,
  evidence: readonly Evidence[],
): string[] {
  const percent = words.say("confidence", { percent: Math.round(confidence * 100) });
  const head = `${rank}. **${escapeMarkdown(name)}** (${words.say(`class.${faultClass}`)}, ${percent})`;
  return [head, ...evidence.map((each) => `   - ${escapeMarkdown(evidenceOf(words, each))}`)];
}

function evidenceOf(words: Words, evidence: Evidence): string {
  const text = `${evidence.observer}: ${words.code("evidence", evidence.code, evidence.data)}`;
  return evidence.stance === "against" ? words.say("against", { evidence: text }) : text;
}

function symptomsOf(words: Words, incident: Incident): string[] {
  return bullets(
    incident.symptoms.map((each) => escapeMarkdown(`${each.subject.id}: ${words.code("verdict", each.kind)}`)),
  );
}

function timelineOf(words: Words, entries: readonly TimelineEntry[]): string[] {
  if (entries.length === 0) return [words.say("noTimeline")];
  const rows = [...entries]
    .sort((a, b) => a.at - b.at || a.seq - b.seq)
    .slice(0, timelineLimit)
    .map((entry) => [
      words.instant(entry.at),
      words.say(`lane.${entry.lane}`),
      entry.subject.id,
      words.code("timeline", entry.kind, entry.data),
    ]);
  return table(words, ["at", "lane", "subject", "event"], rows);
}

function actionsOf(words: Words, actions: readonly ActionView[]): string[] {
  if (actions.length === 0) return [words.say("noAction")];
  return actions.flatMap((action) => {
    const who = action.automatic ? words.say("automatic") : words.say("by", { actor: action.by });
    const head = `### ${action.id}: ${words.code("actionKind", action.kind)} ${action.from ?? ""} → ${action.target ?? ""}`;
    // By itself it acts on a verdict; a person gives words.
    const why = action.automatic ? words.code("verdict", action.reason) : action.reason;
    const state = `${words.code("actionPhase", action.phase)}, ${who}${action.reason === "" ? "" : `: ${why}`}`;
    const steps = action.steps.map((step) => [
      words.code("step", step.kind),
      step.node ?? "–",
      words.say(`stepStatus.${step.status}`),
      step.startedAt === null || step.endedAt === null ? "–" : words.duration(step.endedAt - step.startedAt),
    ]);
    const bars = (action.waterfall ?? []).map((bar) => [
      words.say(`stage.${bar.stage}`),
      words.duration(bar.fromMs),
      words.duration(bar.toMs),
      words.duration(bar.toMs - bar.fromMs),
    ]);
    return [
      escapeMarkdown(head, "#"),
      "",
      escapeMarkdown(state),
      "",
      ...table(words, ["step", "subject", "outcome", "duration"], steps),
      "",
      ...(bars.length === 0 ? [] : [...table(words, ["bar", "from", "to", "duration"], bars), ""]),
    ];
  });
}

/** Candidates that were passed over, steps left out, actions refused or stopped. */
function notDoneOf(words: Words, { actions, timeline }: IncidentDetail): string[] {
  const lines: string[] = [];
  for (const action of actions) {
    for (const candidate of action.candidates) {
      if (candidate.chosen) continue;
      lines.push(`${candidate.node}: ${words.code("candidate", candidate.reason.code, candidate.reason.data)}`);
    }
    if (action.failure !== null) {
      lines.push(`${action.id}: ${words.code("failure", action.failure.code, action.failure.data)}`);
    }
  }
  for (const entry of timeline) {
    if (!entry.kind.endsWith("-refused")) continue;
    const code = typeof entry.data.code === "string" ? entry.data.code : entry.kind;
    lines.push(`${entry.subject.id}: ${words.code("refusal", code, entry.data)}`);
  }
  return bullets(
    lines.length === 0 ? [words.say("notDoneNothing")] : [...new Set(lines)].map((line) => escapeMarkdown(line)),
  );
}

function tracesOf({ traces }: IncidentDetail): string[] {
  return bullets(
    traces.map((group) =>
      escapeMarkdown(`${group.count} × ${group.service}: ${group.type}: ${group.message.slice(0, 200)}`),
    ),
  );
}

/** Notes are Markdown as typed; quoted, so that they can't pass for the report's own words. */
function notesOf(words: Words, { notes }: IncidentDetail): string[] {
  if (notes.length === 0) return [words.say("noNotes")];
  return notes.flatMap((note) => [
    `**${escapeMarkdown(note.author)}**, ${words.instant(note.at)}`,
    "",
    ...note.text.split("\n").map((line) => `> ${line.replaceAll("<", "&lt;")}`),
    "",
  ]);
}

function table(words: Words, columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const head = `| ${columns.map((column) => words.say(`column.${column}`)).join(" | ")} |`;
  const rule = `| ${columns.map(() => "---").join(" | ")} |`;
  return [head, rule, ...rows.map((row) => `| ${row.map((cell) => escapeMarkdown(cell)).join(" | ")} |`)];
}

function bullets(lines: readonly string[]): string[] {
  return lines.map((line) => `- ${line}`);
}

/** Text from outside stays text: no markup, no table cell, no line of its own. */
function escapeMarkdown(text: string, keep = ""): string {
  return text
    .replaceAll(/[\r\n]+/g, " ")
    .replaceAll(/[\\`*_[\]<>|#~]/g, (sign) => (keep.includes(sign) ? sign : sign === "<" ? "&lt;" : `\\${sign}`));
}
