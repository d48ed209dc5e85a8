import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./support/test.ts";

test.beforeEach(async ({ demo }) => {
  await demo.restore();
});

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("Tab never reached the element.");
}

test("a switchover by keyboard only: preflight, typed confirmation, live steps", async ({ demo, pageAs }) => {
  const page = await pageAs("operator");
  const before = await demo.cluster();
  await page.goto("/clusters/orders");
  await tabTo(page, page.getByRole("button", { name: "Switch over…" }));
  await page.keyboard.press("Enter");

  const sheet = page.getByRole("dialog");
  await expect(sheet).toContainText(/Switch over to pg-/);
  await expect(sheet).toContainText("No acknowledged write can be lost.");
  await expect(sheet).toContainText("0 block");
  const run = sheet.getByRole("button", { name: /^Switch over to pg-/ });
  await expect(run).toHaveAttribute("aria-disabled", "true");

  await tabTo(page, sheet.getByLabel("Type orders to confirm"));
  await page.keyboard.type("orders");
  await tabTo(page, sheet.getByLabel("Reason", { exact: true }));
  await page.keyboard.type("a journey by keyboard");
  await tabTo(page, run);
  const steps = sheet.getByRole("list", { name: "Steps" });
  const changed = sheet.getByRole("alert").filter({ hasText: "the state has changed since you looked" });
  await page.keyboard.press("Enter");
  await expect(steps.or(changed)).toBeVisible();
  // A busy machine may change what the plan relies on just then. Nothing was done; whoever has looked again confirms again.
  if (await changed.isVisible()) await page.keyboard.press("Enter");
  await expect(steps).toContainText("Promote");
  await expect(sheet).toContainText(/Switchover · done/i, { timeout: 30_000 });
  await expect(steps).toContainText("Verify");
  await page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();

  const after = await demo.restore();
  expect(after.primary).not.toBe(before.primary);
  expect(after.epoch).toBeGreaterThan(before.epoch);
  expect(after.epochs.at(-1)?.cause).toBe("switchover");
});
