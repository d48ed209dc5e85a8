import { expect, test } from "./support/test.ts";

test.beforeEach(async ({ demo }) => {
  await demo.restore();
});

test("a crash of the primary is noticed, explained and repaired while somebody watches", async ({ demo, pageAs }) => {
  const page = await pageAs("operator");
  const before = await demo.cluster();
  const primary = before.primary as string;
  await page.goto("/");
  const sentence = page.getByRole("heading", { level: 1 });
  await expect(sentence).toBeVisible();
  const tree = page.getByLabel("Replication in orders");
  await expect(tree.getByLabel(primary, { exact: true })).toContainText("primary");

  await page.getByRole("button", { name: "Crash the node" }).click();

  await expect(sentence).toContainText(/took over|lost its primary|failing over/);
  await expect
    .poll(async () => (await demo.cluster()).primary, { message: "another node becomes primary" })
    .not.toBe(primary);
  const successor = (await demo.cluster()).primary as string;
  await expect(tree.getByLabel(successor, { exact: true })).toContainText("primary");
  await expect(sentence).toContainText(`${successor} took over`);
  await expect(page.getByText("no acknowledged write was lost").first()).toBeVisible();

  await page.getByRole("button", { name: `Start ${primary} again` }).click();
  await expect(tree.getByLabel(primary, { exact: true })).toContainText("sync", { timeout: 60_000 });
  const after = await demo.restore();
  expect(after.epoch).toBeGreaterThan(before.epoch);
  expect(after.workload?.lost).toBe(0);
});
