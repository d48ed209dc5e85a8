import type { Page } from "@playwright/test";
import { RedisConnection } from "../agents/drivers/redis/link.ts";
import { findRedisBinaries, redisClusterName } from "../demo/redis/plan.ts";
import type { RedisMemberView } from "../server/protocol/index.ts";
import { expect, test } from "./support/test.ts";

const missing = "redis-server is not installed here (Debian, Ubuntu: apt-get install redis-server)";

test.skip(findRedisBinaries() === null, missing);

test.beforeEach(async ({ demo }) => {
  // The first one builds the cluster.
  test.setTimeout(180_000);
  await demo.redis.start();
  await demo.redis.restore();
});

test.afterEach(({ demo }) => demo.redis.rest());

/** Fills in and sends the sheet that begins a move of slots. */
async function confirmMove(page: Page, title: string, slotsPerSecond?: number): Promise<void> {
  const sheet = page.getByRole("dialog", { name: title });
  await expect(sheet).toContainText("0 block");
  const run = sheet.getByRole("button", { name: "Move slots" });
  await expect(run).toHaveAttribute("aria-disabled", "true");
  await sheet.getByLabel(`Type ${redisClusterName} to confirm`).fill(redisClusterName);
  await sheet.getByLabel("Reason", { exact: true }).fill("a journey");
  if (slotsPerSecond !== undefined) await sheet.getByLabel("At most, slots a second").fill(`${slotsPerSecond}`);
  await run.click();
  await expect(sheet).toBeHidden();
}

/** Slots moved, rate and time left. Looked for with every frame: a fast machine shows them for a moment only. */
async function seeProgress(page: Page): Promise<void> {
  const shown = () => {
    const texts = [...document.querySelectorAll("[role=status]")].map((element) => element.textContent ?? "");
    return texts.some((text) => /[1-9][\d,]* of [\d,]+ slots.*[\d,.]+ slots\/s, [\d.]+ \S+ left, /.test(text));
  };
  await page.waitForFunction(shown, undefined, { polling: "raf", timeout: 60_000 });
}

/** Half of what a move of one slot does, as it is left by whoever dies in its middle. */
async function leaveOpen(from: RedisMemberView, to: RedisMemberView, slot: number): Promise<void> {
  const say = async ({ host, port }: RedisMemberView, word: string, other: RedisMemberView) => {
    const connection = new RedisConnection({ host, port, user: null, password: null });
    await connection.call(5_000, "CLUSTER", "SETSLOT", slot, word, other.shard?.id ?? "");
    connection.drop();
  };
  await say(to, "IMPORTING", from);
  await say(from, "MIGRATING", to);
}

const spotless = { clientErrors: 0, keysLost: 0, keysDoubled: 0 };

test("a master is drained under live clients, and gets its slots back", async ({ demo, pageAs }) => {
  const before = await demo.redis.view();
  const slotsOf = async (id: string) =>
    (await demo.redis.view()).members.find((member) => member.id === id)?.shard?.slotCount ?? -1;
  const [master] = before.members.filter(({ role }) => role === "master").map(({ id }) => id);
  const drained = master ?? "";
  const had = await slotsOf(drained);
  await demo.redis.audit();

  const page = await pageAs("operator");
  await page.goto(`/clusters/redis/${redisClusterName}`);
  await page.getByRole("button", { name: `Drain ${drained}` }).click();
  await confirmMove(page, `Drain ${drained}`);

  await seeProgress(page);
  await expect(page.getByText(/Drain: done/)).toBeVisible({ timeout: 60_000 });
  expect(await slotsOf(drained)).toBe(0);
  expect(await demo.redis.audit()).toMatchObject(spotless);

  await page.getByRole("button", { name: "Move back…" }).click();
  await confirmMove(page, "Move back");
  await expect(page.getByText(/Moving back: done/)).toBeVisible({ timeout: 60_000 });
  expect(await slotsOf(drained)).toBe(had);
  const ledger = await demo.redis.audit();
  expect(ledger).toMatchObject(spotless);
  expect(ledger.operations).toBeGreaterThan(0);
});

test("a move that is ended in its middle leaves every slot with an owner and every key in its place", async ({
  demo,
  pageAs,
}) => {
  const before = await demo.redis.view();
  const [master] = before.members.filter(({ role }) => role === "master").map(({ id }) => id);
  await demo.redis.audit();
  const page = await pageAs("operator");
  await page.goto(`/clusters/redis/${redisClusterName}`);
  await page.getByRole("button", { name: `Drain ${master}` }).click();
  await confirmMove(page, `Drain ${master}`, 200);
  await expect(page.getByText(/slots\/s, .* at most 200 slots\/s/)).toBeVisible();
  await page.getByRole("button", { name: "End the move…" }).press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(`Type ${redisClusterName} to confirm`).fill(redisClusterName);
  const reason = dialog.getByLabel("Reason", { exact: true });
  await reason.fill("a journey");
  await reason.press("Enter");
  await expect(page.getByText(/Drain: ended early/)).toBeVisible({ timeout: 30_000 });

  const after = await demo.redis.view();
  expect(after.lastMigration?.phase).toBe("aborted");
  expect(after.lastMigration?.slotsMoved).toBeLessThan(after.lastMigration?.slotsTotal ?? 0);
  await expect
    .poll(async () => {
      const { slotsServed, openSlots, state } = await demo.redis.view();
      return { slotsServed, openSlots, state };
    })
    .toEqual({ slotsServed: 16_384, openSlots: 0, state: "healthy" });
  expect(await demo.redis.audit()).toMatchObject(spotless);

  await page.getByRole("button", { name: "Move back…" }).click();
  await confirmMove(page, "Move back");
  await expect(page.getByText(/Moving back: done/)).toBeVisible({ timeout: 60_000 });
  expect(await demo.redis.audit()).toMatchObject(spotless);
});

test("slots that somebody's move left open are shown, and brought to where they were going", async ({
  demo,
  pageAs,
}) => {
  const { members } = await demo.redis.view();
  const [from, to] = members.filter(({ role }) => role === "master");
  const slot = from?.shard?.slots[0]?.[0];
  if (from === undefined || to === undefined || slot === undefined)
    throw new Error("two masters with slots are needed");
  await leaveOpen(from, to, slot);
  const page = await pageAs("operator");
  await page.goto(`/clusters/redis/${redisClusterName}`);
  await expect(page.getByText("1 slot is half-way between two masters").first()).toBeVisible({ timeout: 20_000 });
  await page.getByRole("button", { name: "Close open slots…" }).click();
  await confirmMove(page, "Close open slots");
  await expect.poll(async () => (await demo.redis.view()).openSlots, { timeout: 30_000 }).toBe(0);
  const slots = (await demo.redis.view()).members.find(({ id }) => id === to.id)?.shard?.slots ?? [];
  expect(slots.some(([first, last]) => first <= slot && slot <= last)).toBe(true);
  expect(await demo.redis.audit()).toMatchObject(spotless);
});
