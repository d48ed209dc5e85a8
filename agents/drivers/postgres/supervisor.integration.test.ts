import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureEmbeddedBinaries } from "../../../server/store/embedded/binaries.ts";
import { sleep } from "../../shared/time.ts";
import { isAlive } from "./processes.ts";
import { makeTrialRoot, TrialMember } from "./testing/trial-cluster.ts";

let root: Awaited<ReturnType<typeof makeTrialRoot>>;
let member: TrialMember;

beforeAll(async () => {
  root = await makeTrialRoot();
  const { binDir } = await ensureEmbeddedBinaries();
  member = await TrialMember.create(root.path, "pg-a", binDir);
  const configuration = { epoch: 1, version: 1, k: 0, members: [] };
  const grant = { epoch: 1, intentId: "intent-1", step: 0, configVersion: 1 };
  const args = { configuration, peers: [member.endpoint] };
  const made = await member.run(grant, { verb: "postgres.initialize", args });
  expect(made.status).toBe("done");
}, 60_000);

afterAll(async () => {
  await member.end();
  await root.remove();
});

it("starts nothing in a directory before the server that has shut down there is gone", async () => {
  const { supervisor } = member.instance;
  const old = supervisor.pid as number;
  // It has all its work behind it and does not end.
  process.kill(old, "SIGSTOP");
  expect(await supervisor.shutDown(5_000, () => Promise.resolve(true))).toBe(true);
  expect(supervisor.pid).toBeNull();
  let started = false;
  const starting = supervisor.start().then(() => {
    started = true;
  });
  await sleep(400);
  expect(started).toBe(false);
  process.kill(old, "SIGCONT");
  await starting;
  expect(await isAlive(old)).toBe(false);
  expect(supervisor.pid).not.toBe(old);
}, 30_000);
