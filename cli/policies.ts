import type { Command } from "commander";
import type { ReplayView, RuleView } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatInstant, formatTable, print } from "./print.ts";

interface SetOptions {
  readonly raise?: string;
  readonly clear?: string;
  readonly raiseFor?: string;
  readonly clearFor?: string;
  readonly floor?: string;
  readonly on?: boolean;
  readonly off?: boolean;
  readonly days: string;
  readonly reason: string;
  readonly json: boolean;
}

/** Monitoring rules: look, replay over the last days, change. */
export function addPolicies(program: Command, api: () => Api): void {
  const policies = program.command("policies").alias("policy").description("monitoring rules and what they say");
  policies
    .command("list", { isDefault: true })
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => listRules(api(), json));
  const numbers = (command: Command) =>
    command
      .option("--raise <level>", "raised at this level (shares from 0 to 1, lag in milliseconds)")
      .option("--clear <level>", "cleared at this level")
      .option("--raise-for <seconds>", "how long it has to hold before it is raised")
      .option("--clear-for <seconds>", "and before it is cleared")
      .option("--floor <amount>", "of an anomaly rule: smaller departures mean nothing")
      .option("--on", "watch")
      .option("--off", "don't watch")
      .option("--json", "print JSON", false);
  numbers(policies.command("replay <rule>").description("when it would have been raised, now and with other numbers"))
    .option("--days <n>", "1 to 3", "3")
    .action((rule: string, options: SetOptions) => replayRule(api(), rule, options));
  numbers(policies.command("set <rule>").description("change the numbers of a rule"))
    .option("--reason <text>", "why: it stands in the audit", "")
    .action((rule: string, options: SetOptions) => setRule(api(), rule, options));
  policies
    .command("reset <rule>")
    .description("bring the defaults back")
    .option("--reason <text>", "why: it stands in the audit", "")
    .option("--json", "print JSON", false)
    .action(async (rule: string, { reason, json }: { reason: string; json: boolean }) => {
      const done = await api().send("PUT", `policies/${encodeURIComponent(rule)}`, { numbers: null, reason });
      print(json, done, () => [`${rule} has its defaults again.`]);
    });
}

async function listRules(api: Api, json: boolean): Promise<void> {
  const { items } = await api.get<{ items: readonly RuleView[] }>("policies");
  print(json, items, () =>
    formatTable(
      ["rule", "kind", "watches", "raise", "clear", "for", "raised", "nearest", "changed by"],
      items.map((rule) => [
        rule.id,
        rule.kind,
        rule.enabled ? "yes" : "no",
        String(rule.raise),
        String(rule.clear),
        `${rule.raiseForMs / 1_000} s`,
        `${rule.raised} of ${rule.measured}`,
        rule.subjects[0] === undefined ? "–" : `${rule.subjects[0].subject} ${round(rule.subjects[0].value)}`,
        rule.changedBy ?? "",
      ]),
    ),
  );
}

async function findNumbers(api: Api, id: string, options: SetOptions) {
  const { items } = await api.get<{ items: readonly RuleView[] }>("policies");
  const rule = items.find((each) => each.id === id);
  if (rule === undefined) {
    throw new CommandError(
      exitCodes.refused,
      `There is no rule ${id}. There are: ${items.map((each) => each.id).join(", ")}.`,
    );
  }
  return {
    enabled: options.off === true ? false : options.on === true ? true : rule.enabled,
    raise: readNumber(options.raise) ?? rule.raise,
    clear: readNumber(options.clear) ?? rule.clear,
    raiseForMs: secondsToMs(options.raiseFor) ?? rule.raiseForMs,
    clearForMs: secondsToMs(options.clearFor) ?? rule.clearForMs,
    floor: rule.floor === null ? null : (readNumber(options.floor) ?? rule.floor),
  };
}

async function setRule(api: Api, id: string, options: SetOptions): Promise<void> {
  const numbers = await findNumbers(api, id, options);
  const done = await api.send("PUT", `policies/${encodeURIComponent(id)}`, { numbers, reason: options.reason });
  print(options.json, done, () => [`${id} is changed.`]);
}

async function replayRule(api: Api, id: string, options: SetOptions): Promise<void> {
  const numbers = await findNumbers(api, id, options);
  const path = `policies/${encodeURIComponent(id)}/replay`;
  const result = await api.send<ReplayView>("POST", path, { numbers, days: readNumber(options.days) ?? 3 });
  print(options.json, result, () => [
    `${result.samples} samples of ${result.subjects} subjects since ${result.oldestAt === null ? "–" : formatInstant(result.oldestAt)}`,
    `as it is: raised ${result.before.count} times; with these numbers: ${result.after.count} times`,
    ...formatTable(
      ["subject", "from", "to"],
      result.after.firings
        .slice(-20)
        .map((each) => [
          each.subject,
          formatInstant(each.fromMs),
          each.toMs === null ? "still" : formatInstant(each.toMs),
        ]),
    ),
  ]);
}

function readNumber(text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new CommandError(exitCodes.usage, `${text} is not a number.`);
  return value;
}

function secondsToMs(text: string | undefined): number | null {
  const value = readNumber(text);
  return value === null ? null : Math.round(value * 1_000);
}

function round(value: number): string {
  return String(Math.round(value * 1_000) / 1_000);
}
