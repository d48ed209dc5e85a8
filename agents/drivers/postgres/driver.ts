import type { CommandOutcome, Grant, Verb } from "../../../server/core/index.ts";
import { stillHolds } from "../../fence/promise.ts";
import type { PostgresInstance } from "./instance.ts";
import { configure } from "./verbs/configure.ts";
import { type ArgsOf, type Data, outcomeOfError, type VerbContext, type VerbHandler } from "./verbs/context.ts";
import { demote, endHandOver, returnAsPrimary } from "./verbs/demote.ts";
import { follow } from "./verbs/follow.ts";
import { adopt, fence, initialize, regrant, restart } from "./verbs/lifecycle.ts";
import { promote } from "./verbs/promote.ts";
import { rejoin } from "./verbs/rejoin.ts";
import { resolveInDoubt } from "./verbs/resolve.ts";
import { seal } from "./verbs/seal.ts";
import { verify } from "./verbs/verify.ts";

type Run = (context: VerbContext, verb: Verb) => Promise<Data>;

/** Binds a handler to its verb; the Map below is the whole dispatch. */
function handle<V extends Verb["verb"]>(name: V, handler: VerbHandler<V>): readonly [string, Run] {
  return [
    name,
    (context, verb) => {
      if (verb.verb !== name) throw new Error(`invariant: ${verb.verb} dispatched as ${name}`);
      return handler(context, (verb as unknown as { readonly args: ArgsOf<V> }).args);
    },
  ];
}

const handlers: ReadonlyMap<string, Run> = new Map([
  handle("postgres.initialize", initialize),
  handle("postgres.adopt", adopt),
  // Persisting is the whole of it, and that is done before any verb runs.
  handle("postgres.learn", async () => ({})),
  handle("postgres.seal", (context) => seal(context)),
  handle("postgres.promote", promote),
  handle("postgres.follow", follow),
  handle("postgres.configure", configure),
  handle("postgres.verify", verify),
  handle("postgres.resolve", resolveInDoubt),
  handle("postgres.fence", (context) => fence(context)),
  handle("postgres.demote", demote),
  handle("postgres.regrant", (context, args) => context.instance.whileRestarting(() => regrant(context, args))),
  handle("postgres.rejoin", rejoin),
  handle("postgres.restart", (context, args) => context.instance.whileRestarting(() => restart(context, args))),
]);

/** Verbs that only look or write a file; they need not wait for a long one. */
const concurrent: ReadonlySet<string> = new Set(["postgres.learn", "postgres.verify", "postgres.resolve"]);

const demoteGraceFactor = 4;

/**
 * Runs verbs on one PostgreSQL server, one at a time. A verb under a higher grant overtakes a rejoin that is under way: the rejoin is
 * aborted, and ends before its next effect.
 */
export class PostgresDriver {
  readonly #instance: PostgresInstance;
  readonly #isConnected: () => boolean;
  #lane: Promise<unknown> = Promise.resolve();
  #running: { readonly grant: Grant; readonly abort: AbortController } | null = null;
  #demoteTimer: NodeJS.Timeout | null = null;

  constructor(instance: PostgresInstance, isConnected: () => boolean) {
    this.#instance = instance;
    this.#isConnected = isConnected;
  }

  /** Runs an accepted command to its outcome. Its promise is durable already. */
  async run(
    grant: Grant,
    verb: Verb,
    progress: (progress: number, data: Readonly<Record<string, string | number | boolean | null>>) => void,
  ): Promise<CommandOutcome> {
    if (this.#demoteTimer && !concurrent.has(verb.verb)) clearTimeout(this.#demoteTimer);
    const running = this.#running;
    if (running !== null && !stillHolds(this.#instance.host.fence(), running.grant)) running.abort.abort();
    if (concurrent.has(verb.verb)) return this.#execute(grant, verb, progress, new AbortController());
    const turn = this.#lane.then(() => {
      const abort = new AbortController();
      this.#running = { grant, abort };
      return this.#execute(grant, verb, progress, abort).finally(() => {
        this.#running = null;
      });
    });
    this.#lane = turn.catch(() => undefined);
    return turn;
  }

  /** Starts the server as the agent's own start wants it, ahead of any verb: a command may be here before PostgreSQL is. */
  boot(): Promise<void> {
    return this.exclusively(async () => {
      await endHandOver(this.#instance);
      await this.#instance.boot();
    });
  }

  /** Runs what the agent does by itself in its turn among the verbs: never two of them start or stop one server. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lane.then(() => this.#instance.whileBusy(work));
    this.#lane = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    if (this.#demoteTimer) clearTimeout(this.#demoteTimer);
  }

  async #execute(
    grant: Grant,
    verb: Verb,
    progress: VerbContext["progress"],
    abort: AbortController,
  ): Promise<CommandOutcome> {
    const handler = handlers.get(verb.verb);
    if (handler === undefined)
      return { status: "refused", code: "unknown-verb", detail: `this agent has no verb ${verb.verb}` };
    const context: VerbContext = {
      instance: this.#instance,
      grant,
      stillHolds: () => stillHolds(this.#instance.host.fence(), grant),
      progress,
      signal: abort.signal,
    };
    // A command that waited its turn may have been overtaken meanwhile.
    if (!context.stillHolds()) {
      return { status: "refused", code: "overtaken", detail: "a higher promise was made before this command began" };
    }
    try {
      const data = await this.#instance.whileBusy(() => handler(context, verb));
      if (verb.verb === "postgres.demote") this.#watchDemote(context, verb.args.deadlineMs, false);
      return { status: "done", data };
    } catch (error) {
      return outcomeOfError(error);
    }
  }

  /** Nothing followed a demote: without a control plane this member takes up its grant again, so that writes go on. */
  #watchDemote(context: VerbContext, deadlineMs: number, waited: boolean): void {
    // An asynchronous primary never comes back by itself: nothing would keep it from writing beside a new one.
    const { standing } = this.#instance.host.fence();
    if (standing.kind === "demoted" && standing.configuration?.lease !== undefined) return;
    const waitMs = waited ? deadlineMs * (demoteGraceFactor - 1) : deadlineMs;
    this.#demoteTimer = setTimeout(() => {
      if (this.#isConnected() && !waited) {
        this.#watchDemote(context, deadlineMs, true);
        return;
      }
      this.#lane = this.#lane
        .then(() => this.#instance.whileBusy(() => returnAsPrimary(context)))
        .catch((error: unknown) => {
          this.#instance.host.log("error", "the primary could not be restarted after a demote", {
            error: String(error),
          });
        });
    }, waitMs);
  }
}
