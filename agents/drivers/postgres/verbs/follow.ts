import { fitsHistory, formatLsn, type TimelineStart } from "../../../../server/core/index.ts";
import { monotonicMs } from "../../../shared/time.ts";
import { assertReplicates } from "../clone/source.ts";
import type { PostgresInstance } from "../instance.ts";
import { fencedSettings, type Settings, standbySettings } from "../settings.ts";
import { type ArgsOf, assertDatabase, type Data, Failure, Refusal, type VerbContext } from "./context.ts";
import { readWalEnd } from "./seal.ts";

/** Streams from the primary of the grant, under the grant's epoch. Does not wait for the stream: the primary may still be on its way. */
export async function follow({ instance, grant }: VerbContext, args: ArgsOf<"postgres.follow">): Promise<Data> {
  const startedAt = monotonicMs();
  assertDatabase(instance);
  if (args.primary.node === instance.service.node) throw new Refusal("self", "a member cannot follow itself");
  if (instance.running && !(await instance.isStandby())) {
    // The one primary that is a standby to whatever starts it next: it has handed over, and runs on until now. Not in good order: the checkpoint
    // of a shutdown would be WAL of its own.
    if (!(await instance.data.hasStandbySignal()))
      throw new Refusal("is-primary", "this member runs as a primary; it must rejoin");
    await instance.stopFenced();
  }
  await assertFits(instance, args.history);
  const settings = standbySettings(instance.service, args.primary, grant.epoch);
  if (!instance.running) {
    await instance.startStandby(settings);
  } else {
    if (await followsByHand(instance)) await assertReplicates(instance, args.primary);
    await applyFollow(instance, settings);
  }
  void prepareSlots(instance, [args.primary.node]);
  instance.monitor.wake();
  return { ms: Math.round(monotonicMs() - startedAt) };
}

/**
 * A standby that is past the point where the primary left its timeline must not even connect: PostgreSQL's receiver begins by telling that it
 * has flushed all that it had replayed (`WalReceiverMain`), the primary takes that for its own WAL, and acknowledges commits that nobody else
 * holds. So the position is read while it follows nobody.
 * @throws Failure `diverged`, `position-unknown`
 */
async function assertFits(instance: PostgresInstance, history: readonly TimelineStart[]): Promise<void> {
  const { timeline, lsn } = await ownPosition(instance);
  if (timeline === null || lsn === null)
    throw new Failure("position-unknown", "it is not known how far this member's WAL goes, so it follows nobody yet");
  if (fitsHistory(history, timeline, lsn)) return;
  const { timeline: newest, switchLsn } = history.at(-1) as TimelineStart;
  throw new Failure(
    "diverged",
    `this member is at ${formatLsn(lsn)} on timeline ${timeline}; timeline ${newest} began at ${switchLsn === null ? "an unknown place" : formatLsn(switchLsn)}, so it has WAL that the primary lacks`,
  );
}

/** Of a primary that was shut down in good order its control file tells. Any other server is started, following nobody, and asked. */
async function ownPosition(instance: PostgresInstance): ReturnType<typeof readWalEnd> {
  const shut = instance.running ? null : await instance.data.shutdownPosition();
  if (shut !== null) return shut;
  if (!instance.running) await instance.startStandby(fencedSettings);
  else if (instance.monitor.status === null) await instance.waitReady();
  return readWalEnd(instance);
}

/** Whether it streams by settings that are not ours: it was set up by hand, and what works is not given up for what may not. */
async function followsByHand(instance: PostgresInstance): Promise<boolean> {
  if (instance.monitor.status?.receiver?.status !== "streaming") return false;
  const connection = await instance.control();
  const [row] = await connection.query("SELECT current_setting('primary_conninfo') AS conninfo", [], 2_000);
  return !/application_name='e\d+_/.test(String(row?.conninfo));
}

async function applyFollow(instance: PostgresInstance, settings: Settings): Promise<void> {
  await instance.applySettings(settings);
  await instance.waitForSetting("primary_conninfo", settings.primary_conninfo ?? "", 2_000);
}

/** In the background: this member may be the next primary, and then its followers need slots at once. */
async function prepareSlots(instance: PostgresInstance, nodes: readonly string[]): Promise<void> {
  // One that was only just started is looked after by the keeper, as soon as it answers.
  if (instance.monitor.status === null) return;
  try {
    await instance.dropReservedSlots();
    await instance.ensureSlots(nodes);
  } catch (error) {
    instance.host.log("warn", "slots could not be prepared", { error: String(error) });
  }
}
