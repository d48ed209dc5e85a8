import { execFile } from "node:child_process";
import { type CommandOutcome, type CommandRecord, controlPlaneNode, type Event } from "./core/index.ts";
import type { AgentLink } from "./ports/agent-link.ts";

/** A fixed command of this server's own configuration that cuts one node off for good. Exit code 0 says that it is done. */
export interface FencingHook {
  readonly node: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

const keptCharacters = 500;
const maxOutputBytes = 1024 * 1024;

/**
 * Hooks that the control plane runs itself: to the loop one more receiver of commands. Like any other it gets a command again until its
 * result is committed, so a hook may run more than once.
 */
export class LocalHooks {
  readonly #hooks: readonly FencingHook[];
  readonly #post: (event: Event) => void;
  readonly #running = new Set<string>();

  constructor(hooks: readonly FencingHook[], post: (event: Event) => void) {
    this.#hooks = hooks;
    this.#post = post;
  }

  /** The link to the agents, with the hooks of this machine beside them. */
  beside(link: AgentLink): AgentLink {
    return {
      ...link,
      send: (command) => (command.node === controlPlaneNode ? this.#take(command) : link.send(command)),
    };
  }

  #take(command: CommandRecord): boolean {
    if (this.#running.has(command.id)) return true;
    this.#running.add(command.id);
    void this.#run(command).then((outcome) => {
      this.#running.delete(command.id);
      this.#post({
        kind: "command-finished",
        node: controlPlaneNode,
        commandId: command.id,
        outcome,
        nodeAt: Date.now(),
      });
    });
    return true;
  }

  #run({ verb }: CommandRecord): Promise<CommandOutcome> {
    const node = verb.verb === "host.fence" ? verb.args.node : null;
    const hook = this.#hooks.find((each) => each.node === node);
    const [path, ...args] = hook?.command ?? [];
    if (hook === undefined || path === undefined) {
      const detail = `this server's configuration has no fencing command for ${node ?? "it"}`;
      return Promise.resolve({ status: "refused", code: "no-hook", detail });
    }
    const options = { timeout: hook.timeoutMs, killSignal: "SIGKILL", maxBuffer: maxOutputBytes, cwd: "/" } as const;
    return new Promise((resolve) => {
      execFile(path, args, { ...options, env: cleanEnvironment() }, (error, out, err) => {
        const told = `${out}${err}`.trim().slice(-keptCharacters);
        if (error === null) return resolve({ status: "done", data: { fenced: hook.node, output: told } });
        const why = error.killed ? `did not end within ${hook.timeoutMs} ms` : error.message.slice(0, keptCharacters);
        resolve({ status: "failed", code: "hook-failed", detail: `${path}: ${why} ${told}` });
      });
    });
  }
}

/** Nothing of the server's environment but the search path reaches a hook: it holds secrets. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C" } as unknown as NodeJS.ProcessEnv;
}
