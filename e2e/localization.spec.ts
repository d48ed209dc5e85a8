import { expect, test } from "./support/test.ts";

test.beforeEach(async ({ demo }) => {
  await demo.restore();
});

test.afterEach(async ({ demo }) => {
  await demo.restore();
});

test("a broken service is named with its evidence, and the incident acknowledged", async ({ pageAs }) => {
  test.setTimeout(180_000);
  const page = await pageAs("operator");
  await page.goto("/");
  // What normal looks like has to be seen first.
  await page.waitForTimeout(40_000);
  await page.getByRole("button", { name: "Exception", exact: true }).click();

  await page.goto("/incidents");
  const entry = page.getByRole("link", { name: /payments: its code throws errors/ }).first();
  await expect(entry).toBeVisible({ timeout: 60_000 });
  await entry.click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("payments: its code throws errors");
  await expect(page.getByText(/likely/).first()).toBeVisible();
  await expect(page.getByText(/Cannot read properties of undefined/).first()).toBeVisible();
  await expect(page.getByRole("img", { name: /gateway → orders → payments/ })).toBeVisible();
  await expect(page.getByRole("button", { name: "Restart payments" })).toBeVisible();

  await page.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await expect(page.getByText(/acknowledged by Journey operator/).first()).toBeVisible();
});
