import { expect, test } from "./support/test.ts";

test("a rule is changed with its difference in view, replayed, and set back", async ({ pageAs }) => {
  const page = await pageAs("operator");
  await page.goto("/policies");
  await page.locator('[data-rule="cpu"]').click();
  const sheet = page.getByRole("dialog");
  await expect(sheet.getByRole("button", { name: "Save" })).toHaveAttribute("aria-disabled", "true");
  await sheet.getByLabel("Raised at (%)").fill("97");
  await expect(sheet.getByText(/default 95/)).toBeVisible();
  await sheet.getByRole("button", { name: /Replay/ }).click();
  await expect(sheet.getByText("With these numbers").or(sheet.getByText("No sample of this figure"))).toBeVisible();
  await sheet.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(/changed by/).first()).toBeVisible();
  await page.locator('[data-rule="cpu"]').click();
  await page.getByRole("dialog").getByRole("button", { name: "Back to the defaults" }).click();
  await expect(page.getByText(/changed by/)).toBeHidden();
  await page.goto("/audit");
  await expect(page.getByText("Monitoring rule set back").first()).toBeVisible();
});

test("a viewer sees the rules and can change none", async ({ pageAs }) => {
  const page = await pageAs("viewer");
  await page.goto("/policies?rule=disk-full");
  await expect(page.getByRole("dialog").getByRole("button", { name: "Save" })).toHaveAttribute("aria-disabled", "true");
});
