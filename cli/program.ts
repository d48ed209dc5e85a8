import { Command, CommanderError, InvalidArgumentError } from "commander";
import { type ActionOptions, runAction } from "./actions.ts";
import { type Api, type Environment, openApi } from "./api.ts";
import { setAutomation } from "./automation.ts";
import { addCauses } from "./causes.ts";
import { addChanges } from "./changes.ts";
import { addDurability } from "./durability.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { addInDoubt } from "./in-doubt.ts";
import { addLocks } from "./locks.ts";
import { listAudit, listIncidents, showIncident, showNodes, showStatus, verifyAudit } from "./look.ts";
import { addMaintenance } from "./maintenance.ts";
import { addPolicies } from "./policies.ts";
import { print } from "./print.ts";
import { addRedis } from "./redis.ts";
import { addRings } from "./ring.ts";
import { addServices } from "./services.ts";
import { addTraces } from "./traces.ts";

const help = `
Environment:
  HOLDFAST_URL       the server (default: the one running on this machine, else http://127.0.0.1:7400)
  HOLDFAST_TOKEN     an API token; not needed by the user who runs the server on this machine
  HOLDFAST_DATA_DIR  where that server keeps its files

Exit codes: 0 done, 1 unexpected error, 2 wrong command line, 3 refused, 4 server or database not reachable,
5 the action ended badly.`;

/**
 * The whole command line. `environment` says where the server is; answers go to standard output, complaints to standard error.
 * Answers with the exit code.
 */
export async function runCommandLine(args: readonly string[], environment: Environment): Promise<number> {
  try {
    await createProgram(() => openApi(environment)).parseAsync(args, { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (!(error instanceof CommandError)) console.error(error);
    else if (error.message !== "") console.error(error.message);
    return error instanceof CommandError ? error.exitCode : exitCodes.error;
  }
}

type FindApi = () => Api;

interface TokenOptions {
  readonly name: string;
  readonly role: string;
  readonly days?: number;
  readonly locks: readonly string[];
  readonly json: boolean;
}

function createProgram(api: FindApi): Command {
  const program = new Command("holdfast");
  program
    .description("Detects faults, says where and why, recovers without losing an acknowledged write.")
    .addHelpText("after", help)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => console.log(text.trimEnd()),
      writeErr: (text) => console.error(text.trimEnd()),
    })
    .showHelpAfterError("(add --help for the options)");
  addPrograms(program);
  addTokens(program, api);
  addLooks(program, api);
  addIncidents(program, api);
  addTraces(program, api, readCount);
  addPolicies(program, api);
  addMaintenance(program, api, readCount);
  addCauses(program, api);
  addActions(program, api);
  addLocks(program, api);
  addRings(program, api);
  addChanges(program, api);
  addRedis(program, api);
  addInDoubt(program, api);
  return program;
}

/** Named here for the help; the launcher runs them before this file is read. */
function addPrograms(program: Command): void {
  program
    .command("server")
    .description("run the control plane")
    .option("--config <file>", "YAML file; the environment stands above it");
  program
    .command("agent")
    .description("run a node's agent")
    .requiredOption("--config <file>", "YAML file of this node");
}

function addTokens(program: Command, api: FindApi): void {
  const token = program.command("token").description("make tokens and sign-in links");
  token
    .command("create")
    .description("an enrolment token for one agent: works once, within the hour")
    .option("--node <name>", "only for the node of this name")
    .option("--labels <key=value,…>", "labels the node gets", readLabels, {})
    .option("--json", "print JSON", false)
    .action(async ({ node, labels, json }: { node?: string; labels: Record<string, string>; json: boolean }) => {
      const made = await api().send<{ token: string; serverKey: string }>("POST", "enrolment-tokens", {
        node: node ?? null,
        labels,
      });
      print(json, made, () => [
        "Put both into the agent's configuration; the token works once, within the hour:",
        `token: ${made.token}`,
        `serverKey: ${made.serverKey}`,
      ]);
    });
  token
    .command("sign-in")
    .description("a link that signs in as the administrator, once, within the hour")
    .option("--json", "print JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const made = await api().send<{ url: string }>("POST", "sign-in-links");
      print(json, made, () => [made.url]);
    });
  token
    .command("api")
    .description("an API token")
    .requiredOption("--name <name>", "what it is for")
    .requiredOption("--role <role>", "viewer, operator, admin or application")
    .option("--days <n>", "how long it works (default: until revoked)", readCount)
    .option("--locks <prefix,…>", "only locks whose names begin with one of these", (text) => text.split(","), [])
    .option("--json", "print JSON", false)
    .action(async ({ name, role, days, locks, json }: TokenOptions) => {
      const draft = { name, role, expiresInDays: days ?? null, lockPrefixes: locks };
      const made = await api().send<{ id: string; token: string }>("POST", "tokens", draft);
      print(json, made, () => [made.token]);
    });
}

function addLooks(program: Command, api: FindApi): void {
  program
    .command("status")
    .description("clusters, their members and what is wrong")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => showStatus(api(), json));
  program
    .command("nodes")
    .description("all nodes")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => showNodes(api(), json));
  addServices(program, api);
  const audit = program.command("audit").description("who did what");
  audit
    .command("list", { isDefault: true })
    .option("--limit <n>", "how many, newest first", readCount, 50)
    .option("--json", "print JSON", false)
    .action(({ limit, json }: { limit: number; json: boolean }) => listAudit(api(), limit, json));
  audit
    .command("verify")
    .description("recompute the hash chain")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => verifyAudit(api(), json));
}

function addIncidents(program: Command, api: FindApi): void {
  const incidents = program.command("incidents").alias("incident").description("faults and what became of them");
  incidents
    .command("list", { isDefault: true })
    .option("--phase <phase>", "open, acknowledged, mitigated, resolved, closed, or active for all that are not closed")
    .option("--json", "print JSON", false)
    .action(({ phase, json }: { phase?: string; json: boolean }) => listIncidents(api(), phase, json));
  incidents
    .command("show <id>")
    .option("--json", "print JSON", false)
    .action((id: string, { json }: { json: boolean }) => showIncident(api(), id, json));
  for (const [name, path, words] of [
    ["ack", "acknowledge", "say that somebody is looking"],
    ["resolve", "resolve", "say that the system is as promised again"],
    ["close", "close", "close a resolved incident"],
    ["reopen", "reopen", "open it again; needs --reason"],
  ] as const) {
    incidents
      .command(`${name} <id>`)
      .description(words)
      .option("--reason <text>", "why", "")
      .option("--json", "print JSON", false)
      .action(async (id: string, { reason, json }: { reason: string; json: boolean }) => {
        const done = await api().send("POST", `incidents/${encodeURIComponent(id)}/${path}`, { reason });
        print(json, done, () => ["Done."]);
      });
  }
  incidents
    .command("recover <id>")
    .description("carry out what is suggested for its cause")
    .option("--json", "print JSON", false)
    .action(async (id: string, { json }: { json: boolean }) => {
      const done = await api().send("POST", `incidents/${encodeURIComponent(id)}/recover`, {});
      print(json, done, () => ["Asked for. The incident's timeline tells how it goes."]);
    });
  incidents
    .command("report <id>")
    .description("the incident as a story, on standard output")
    .option("--locale <locale>", "en or zh-CN", "en")
    .option("--json", "the whole record as JSON", false)
    .action(async (id: string, { locale, json }: { locale: string; json: boolean }) => {
      const query = new URLSearchParams({ format: json ? "json" : "markdown", locale });
      console.log((await api().text(`incidents/${encodeURIComponent(id)}/report?${query}`)).trimEnd());
    });
}

function addActions(program: Command, api: FindApi): void {
  const common = (command: Command) =>
    command
      .requiredOption("--reason <text>", "why: it stands in the audit and on the timeline")
      .option("--plan <hash>", "only under this plan, as it was shown before")
      .option("--yes", "don't ask", false)
      .option("--json", "print JSON", false);
  common(program.command("failover <cluster>").description("make a standby the primary, now"))
    .option("--to <node>", "this one, if it may be chosen")
    .option("--confirm-down <node>", "asynchronous: the old primary is down and stays down")
    .action((cluster: string, options: ActionOptions) => runAction(api(), "failover", cluster, options));
  common(program.command("switchover <cluster>").description("change the primary of a healthy cluster"))
    .requiredOption("--to <node>", "the next primary")
    .action((cluster: string, options: ActionOptions) => runAction(api(), "switchover", cluster, options));
  common(program.command("rejoin <cluster> <node>").description("bring a member back as a standby")).action(
    (cluster: string, node: string, options: ActionOptions) =>
      runAction(api(), "rejoin", cluster, { ...options, to: node }),
  );
  program
    .command("automation <state> <cluster>")
    .description("let automatic failover act (on), or hold it (hold)")
    .requiredOption("--reason <text>", "why")
    .option("--json", "print JSON", false)
    .action((state: string, cluster: string, options: { reason: string; json: boolean }) =>
      setAutomation(api(), `clusters/${encodeURIComponent(cluster)}`, cluster, state, options),
    );
  addDurability(program, api);
}

function readCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number above 0.");
  return value;
}

function readLabels(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split("=", 2));
  if (pairs.some(([key, value]) => key === undefined || key === "" || value === undefined)) {
    throw new InvalidArgumentError("Write them as key=value,key=value.");
  }
  return Object.fromEntries(pairs as [string, string][]);
}
