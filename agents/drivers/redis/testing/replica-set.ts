import { createDetector } from "../../../../server/core/detection/accrual.ts";
import { getDocument, putDocument } from "../../../../server/core/documents.ts";
import { createDraft, type Draft, getAction } from "../../../../server/core/draft.ts";
import { defaultPolicy } from "../../../../server/core/policy/types.ts";
import type { Action } from "../../../../server/core/recovery/types.ts";
import { advanceFailover, beginFailover } from "../../../../server/core/redis/failover.ts";
import { declareRedis } from "../../../../server/core/redis/observe.ts";
import { takeRedisOutcome } from "../../../../server/core/redis/outcomes.ts";
import type { RedisDocument } from "../../../../server/core/redis/servers.ts";
import { createState } from "../../../../server/core/state.ts";
import type { NodeLive } from "../../../../server/core/topology/types.ts";
import { emptyFence, type FenceRecord, judgeCommand } from "../../../fence/promise.ts";
import { monotonicMs, poll } from "../../../shared/time.ts";
import { RedisDriver } from "../driver.ts";
import { RedisInstance } from "../instance.ts";
import type { RedisProcess, RedisServers } from "./redis-servers.ts";

const cluster = "carts";

/**
 * A replica set of real servers under the real decisions: every command that the core sends is judged by the server's fence and run by its
 * driver, and the answer goes back. No control plane and no clock in between: a test says what happens when.
 */
export class PlayedReplicaSet {
  readonly draft: Draft;
  readonly #servers = new Map<string, { readonly process: RedisProcess; readonly instance: RedisInstance }>();
  readonly #fences = new Map<string, FenceRecord>();

  constructor() {
    this.draft = createDraft(createState(defaultPolicy), { monoMs: 60_000, wallMs: 1_700_000_000_000, entropy: "e" });
  }

  get record(): RedisDocument {
    return getDocument(this.draft, "redis", cluster) as RedisDocument;
  }

  patch(patch: Partial<RedisDocument>): void {
    putDocument(this.draft, { ...this.record, ...patch });
  }

  process(name: string): RedisProcess {
    return this.#entry(name).process;
  }

  #entry(name: string) {
    const entry = this.#servers.get(name);
    if (entry === undefined) throw new Error(`no server ${name}`);
    return entry;
  }

  async add(servers: RedisServers, name: string): Promise<RedisProcess> {
    const process = await servers.start({ "repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1" });
    const { port } = process;
    const address = { host: "127.0.0.1", port };
    this.#fences.set(name, emptyFence);
    const instance = new RedisInstance(
      {
        node: name,
        cluster,
        instance: name,
        mode: "replica-set",
        ...address,
        advertise: address,
        user: null,
        password: null,
        managed: null,
        stateDir: "/nowhere",
        stopWithAgent: false,
      },
      {
        log: () => undefined,
        fence: () => this.#fences.get(name) ?? emptyFence,
        changed: () => undefined,
        connected: () => true,
        signal: () => undefined,
      },
    );
    await instance.boot();
    this.#servers.set(name, { process, instance });
    return process;
  }

  /** Waits until the agent of this server sees it so. */
  async sees(name: string, good: (status: ReturnType<RedisInstance["snapshot"]>) => boolean): Promise<void> {
    const { instance } = this.#entry(name);
    const seen = await poll(async () => (good(instance.snapshot(monotonicMs())) ? true : null), {
      intervalMs: 20,
      deadlineMs: 10_000,
    });
    if (seen === null) throw new Error(`${name} was never seen so`);
  }

  /** What every agent says now; the nodes named are not heard. */
  report(...lost: readonly string[]): void {
    const { now, state } = this.draft;
    for (const [name, { instance }] of this.#servers) {
      const status = instance.snapshot(monotonicMs());
      const connected = !lost.includes(name);
      const detector = { intervalMs: 250, mistakesPerNodeDay: 0.1, minSilenceMs: 1_000, maxSilenceMs: 5_000 };
      state.live.nodes.set(name, {
        connected,
        closedAtMs: connected ? null : now.monoMs,
        closeReason: "closed",
        lastFrameAtMs: now.monoMs,
        connectedAtMs: 0,
        statusAtMs: now.monoMs,
        detector: createDetector(detector),
        redis: [status],
      } as unknown as NodeLive);
      declareRedis(this.draft, name, [status]);
    }
  }

  /** Runs a failover to its end: every command, one after the other. Answers with the action as it ended. */
  async failOver(target: string | null = null): Promise<Action> {
    const { id } = beginFailover(this.draft, this.record, {
      verdict: null,
      incidentId: null,
      by: "admin",
      automatic: false,
      reason: "by hand",
      target,
    });
    for (let turn = 0; turn < 20; turn += 1) {
      await this.runCommands();
      advanceFailover(this.draft, id);
      if (getAction(this.draft, id)?.phase !== "running") break;
    }
    return getAction(this.draft, id) as Action;
  }

  /** Carries out what was sent. A server that is not heard gets nothing. */
  async runCommands(): Promise<void> {
    for (const { id, node, grant, verb } of this.draft.send.splice(0)) {
      if (this.draft.state.live.nodes.get(node)?.connected !== true) continue;
      const verdict = judgeCommand(this.#fences.get(node) ?? emptyFence, { grant, verb });
      if (!verdict.ok) {
        takeRedisOutcome(this.draft, node, id, { status: "refused", code: verdict.code, detail: verdict.detail });
        continue;
      }
      this.#fences.set(node, verdict.record);
      const outcome = await new RedisDriver([this.#entry(node).instance]).run(grant, verb as never, () => undefined);
      takeRedisOutcome(this.draft, node, id, outcome);
    }
  }

  async close(): Promise<void> {
    for (const { instance } of this.#servers.values()) await instance.close();
  }
}
