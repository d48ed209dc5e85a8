import type { LocalProbe, RedisShardStatus } from "../../../server/core/index.ts";
import { ProbeRecord } from "../../shared/probe-record.ts";
import { Repeater } from "../../shared/repeater.ts";
import { messageOf, monotonicMs } from "../../shared/time.ts";
import { type Info, linkOf, parseInfo, parseShard, replicasOf, roleOf } from "./info.ts";
import { RedisConnection, replyCode } from "./link.ts";
import { MasterProbe } from "./master-probe.ts";
import type { RedisService } from "./service.ts";
import { nobody } from "./settings.ts";

const intervalMs = 250;
const deadlineMs = 500;
/** A turn that comes this late means that the whole agent stood still. */
const pauseMs = 1_000;

/** What the server last said of itself. */
export interface RedisPicture {
  readonly info: Info;
  readonly shard: RedisShardStatus | null;
  readonly minReplicas: number | null;
  readonly atMs: number;
}

/**
 * Watches the agent's own server. Everything has a deadline; a heartbeat reads what is known and never waits. `onPaused` is called when this
 * process itself stood still for longer than a second: whatever it was granted may have been granted to another one since.
 */
export class RedisMonitor {
  readonly #service: RedisService;
  readonly #onChange: () => void;
  readonly #onPaused: (pausedMs: number) => void;
  readonly #connection: RedisConnection;
  readonly #masterProbe: MasterProbe;
  readonly #probe = new ProbeRecord();
  readonly #loop = new Repeater(intervalMs, () => this.#look());
  #picture: RedisPicture | null = null;
  #loading = false;
  #key = "";
  #lastTurnMs = monotonicMs();

  constructor(service: RedisService, hooks: { onChange(): void; onPaused(pausedMs: number): void; onClosed(): void }) {
    this.#service = service;
    this.#onChange = hooks.onChange;
    this.#onPaused = hooks.onPaused;
    this.#connection = new RedisConnection(service, () => {
      hooks.onClosed();
      this.#loop.wake();
    });
    this.#masterProbe = new MasterProbe(hooks.onChange);
  }

  start(): void {
    this.#lastTurnMs = monotonicMs();
    this.#loop.start();
  }

  stop(): void {
    this.#loop.stop();
    this.#masterProbe.stop();
    this.#connection.drop();
  }

  /** The server is gone: what it said is no longer so. */
  forget(): void {
    this.#picture = null;
    this.#loading = false;
    this.#probe.reset();
    this.#connection.drop();
  }

  /** Asks now: a verb has just changed something. */
  wake(): void {
    this.#loop.wake();
  }

  get picture(): RedisPicture | null {
    return this.#picture;
  }

  get loading(): boolean {
    return this.#loading;
  }

  probe(nowMs: number): LocalProbe {
    return this.#probe.read(nowMs);
  }

  get probeKnown(): boolean {
    return this.#probe.known;
  }

  masterProbe(nowMs: number) {
    return this.#masterProbe.read(nowMs);
  }

  async #look(): Promise<void> {
    const startedAt = monotonicMs();
    const gapMs = startedAt - this.#lastTurnMs;
    this.#lastTurnMs = startedAt;
    if (gapMs > pauseMs + intervalMs) this.#onPaused(gapMs);
    try {
      const cluster = this.#service.mode === "cluster";
      const answers = await this.#connection.all(deadlineMs, [
        ["INFO", "server", "replication", "memory", "clients", "stats", "keyspace", "persistence"],
        ...(cluster
          ? [
              ["CLUSTER", "NODES"],
              ["CLUSTER", "INFO"],
            ]
          : [["CONFIG", "GET", "min-replicas-to-write"]]),
      ]);
      this.#lastTurnMs = monotonicMs();
      const info = parseInfo(String(answers[0]));
      this.#take({
        info,
        shard: cluster ? parseShard(String(answers[1]), parseInfo(String(answers[2]))) : null,
        minReplicas: cluster ? null : readSetting(answers[1]),
        atMs: startedAt,
      });
      if (this.#probe.succeed(monotonicMs() - startedAt)) this.#onChange();
    } catch (error) {
      this.#lastTurnMs = Math.max(this.#lastTurnMs, monotonicMs() - pauseMs);
      this.#loading = replyCode(error) === "LOADING";
      if (this.#probe.fail(this.#loading ? "loading" : reasonOf(error), startedAt)) this.#onChange();
    }
  }

  #take(picture: RedisPicture): void {
    this.#picture = picture;
    this.#loading = picture.info.get("loading") === "1";
    this.#aimProbe(picture.info);
    const key = outlineOf(picture);
    if (key !== this.#key) this.#onChange();
    this.#key = key;
  }

  /** The master that was followed last stays under watch while this server follows nobody: that is when it matters. */
  #aimProbe(info: Info): void {
    if (this.#service.mode === "cluster") return;
    if (roleOf(info) === "master") return this.#masterProbe.aim(null);
    const link = linkOf(info);
    if (link === null || (link.host === nobody.host && link.port === nobody.port)) return;
    const { user, password } = this.#service;
    this.#masterProbe.aim({ host: link.host, port: link.port, user, password });
  }
}

/** What is worth telling at once. */
function outlineOf({ info, shard, minReplicas }: RedisPicture): string {
  const link = linkOf(info);
  const replicas = replicasOf(info).map((row) => `${row.host}:${row.port}${row.online}`);
  const outline = [roleOf(info), link?.host, link?.port, link?.status, ...replicas.sort(), minReplicas];
  if (shard !== null) {
    const neighbours = shard.neighbours.map((each) => `${each.id}${each.role}${each.health}`);
    outline.push(shard.state, shard.slotCount, shard.masterId ?? "", ...neighbours);
  }
  return outline.join("|");
}

function readSetting(answer: unknown): number | null {
  const value = Array.isArray(answer) ? Number(answer[1]) : Number.NaN;
  if (Number.isFinite(value)) return value;
  // The newer protocol answers with a map.
  const mapped = Number(Object.values((answer as Record<string, unknown>) ?? {})[0]);
  return Number.isFinite(mapped) ? mapped : null;
}

function reasonOf(error: unknown): string {
  const code = replyCode(error);
  if (code !== null) return code.toLowerCase();
  const text = messageOf(error);
  if (/ECONNREFUSED/.test(text)) return "refused";
  if (/longer than|timeout|ETIMEDOUT/i.test(text)) return "timeout";
  return "closed";
}
