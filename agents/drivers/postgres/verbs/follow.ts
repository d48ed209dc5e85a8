import { monotonicMs } from "../../../shared/time.ts";
import { assertReplicates } from "../clone/source.ts";
import type { PostgresInstance } from "../instance.ts";
import { type Settings, standbySettings } from "../settings.ts";
import { type ArgsOf, assertDatabase, type Data, Refusal, type VerbContext } from "./context.ts";

/** Streams from the primary of the grant, under the grant's epoch. Does not wait for the stream: the primary may still be on its way. */
export async function follow({ instance, grant }: VerbContext, args: ArgsOf<"postgres.follow">): Promise<Data> {
  const startedAt = monotonicMs();
  assertDatabase(instance);
  if (args.primary.node === instance.service.node) throw new Refusal("self", "a member cannot follow itself");
  const settings = standbySettings(instance.service, args.primary, grant.epoch);
  if (!instance.running) {
    await instance.startStandby(settings);
  } else {
    if (!(await instance.isStandby())) throw new Refusal("is-primary", "this member runs as a primary; it must rejoin");
    if (await followsByHand(instance)) await assertReplicates(instance, args.primary);
    await applyFollow(instance, settings);
  }
  void prepareSlots(instance, [args.primary.node]);
  instance.monitor.wake();
  return { ms: Math.round(monotonicMs() - startedAt) };
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
  // One that is still recovering can't be asked; it reads the setting on its way.
  if (instance.monitor.status === null) return;
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
