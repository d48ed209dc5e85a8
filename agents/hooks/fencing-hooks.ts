import type { AnyVerb, CommandOutcome, Grant } from "../../server/core/index.ts";
import type { VerbRunner } from "../commands/executor.ts";
import { runProgram } from "../drivers/postgres/processes.ts";
import type { Log } from "../shared/log.ts";
import { messageOf } from "../shared/time.ts";

/** A fixed command that cuts one node off for good: its power, its virtual machine, its port at the switch. */
export interface FencingHook {
  readonly node: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

/** This much of what a hook printed is kept with its result. */
const keptCharacters = 500;

/** Runs hooks by the name of the node alone: what is run stands in this agent's own configuration and nowhere else. */
export class FencingHooks implements VerbRunner {
  readonly #hooks: readonly FencingHook[];
  readonly #log: Log;

  constructor(hooks: readonly FencingHook[], log: Log) {
    this.#hooks = hooks;
    this.#log = log;
  }

  /** Exit code 0 says that the node is down and stays down until it boots anew. */
  async run(_grant: Grant, verb: AnyVerb): Promise<CommandOutcome> {
    const node = verb.verb === "host.fence" ? verb.args.node : null;
    const hook = this.#hooks.find((each) => each.node === node);
    if (hook === undefined)
      return { status: "refused", code: "no-hook", detail: `this agent has no fencing command for ${node ?? "it"}` };
    const [path, ...args] = hook.command as [string, ...string[]];
    this.#log("warn", "a node is cut off", { node, program: path });
    try {
      const { code, output } = await runProgram(path, args, { runAs: null, deadlineMs: hook.timeoutMs });
      const told = output.trim().slice(-keptCharacters);
      if (code === 0) return { status: "done", data: { fenced: hook.node, output: told } };
      return { status: "failed", code: "hook-failed", detail: `${path} ended with code ${code}: ${told}` };
    } catch (error) {
      return { status: "failed", code: "hook-failed", detail: messageOf(error) };
    }
  }
}
