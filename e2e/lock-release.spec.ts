import { LockClient } from "../clients/node/locks.ts";
import { expect, test } from "./support/test.ts";

test("release a lock by force: who holds it, who waits, typed confirmation, and a greater token for the next", async ({
  demo,
  pageAs,
}) => {
  const { token } = await demo.api.post<{ token: string }>("tokens", { name: "billing", role: "application" });
  const client = new LockClient({ url: demo.url, token });
  const name = "billing/month-end";
  const stuck = await client.acquire(name, { holder: "worker-1", ttlMs: 60_000 });
  const waiting = client.acquire(name, { holder: "worker-2", ttlMs: 60_000 });

  const page = await pageAs("operator");
  await page.goto("/locks");
  await expect(page.getByRole("button", { name: /postgres/ })).toContainText("First come, first served");
  const row = page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
  await expect(row).toContainText("worker-1 (billing)");
  await expect(row).toContainText(String(stuck.fencingToken));
  await expect(row).toContainText("worker-2 (billing)");

  await row.getByRole("button", { name: `Release ${name}` }).click();
  const dialog = page.getByRole("dialog");
  const confirm = dialog.getByRole("button", { name: "Release by force" });
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel("Reason").fill("worker-1 hangs");
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel(`Type ${name} to confirm`).fill(name);
  await confirm.click();
  await expect(dialog).toBeHidden();

  const next = await waiting;
  expect(next.fencingToken).toBeGreaterThan(stuck.fencingToken);
  await expect(row).toContainText("worker-2 (billing)");
  await expect(row).toContainText(String(next.fencingToken));
  await expect(row).toContainText("nobody");
  await expect.poll(() => stuck.signal.aborted, { timeout: 30_000 }).toBe(true);

  await page.goto(`/audit?subject=${encodeURIComponent(`lock:postgres/${name}`)}`);
  await expect(page.getByRole("row").filter({ hasText: "Lock released by force" })).toContainText("worker-1 hangs");
  await next.release();
});

test("a viewer sees locks and can't release them", async ({ demo, pageAs }) => {
  const { token } = await demo.api.post<{ token: string }>("tokens", { name: "batch", role: "application" });
  const held = await new LockClient({ url: demo.url, token }).acquire("batch/run", { holder: "worker-1" });
  const page = await pageAs("viewer");
  await page.goto("/locks");
  const release = page.getByRole("button", { name: "Release batch/run" });
  await expect(release).toHaveAttribute("aria-disabled", "true");
  await held.release();
  await expect(page.getByText("No lock is held")).toBeVisible();
});
