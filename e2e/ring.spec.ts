import { expect, test } from "./support/test.ts";

test("a key space is registered, drained under a plan, and brought back", async ({ demo, pageAs }) => {
  test.setTimeout(180_000);
  const page = await pageAs("operator");
  await page.goto("/ring");
  await page.getByRole("button", { name: "Register a key space" }).click();
  await page.getByLabel("Name", { exact: true }).fill("carts");
  await page.getByLabel("Nodes, one a line").fill("cache-1 1 east\ncache-2 1 west\ncache-3 2 west");
  await page.getByLabel("Copies").fill("2");
  await page.getByLabel("Reason").fill("a new key space");
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("carts");

  await page.getByLabel("Find a key").fill("cart:8841");
  await expect(page.getByRole("list", { name: "Walk of the key" }).getByText("owns the key")).toBeVisible();

  await page.getByRole("button", { name: "Try to drain cache-2" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("k mod n would move");
  await page.getByRole("button", { name: "Apply…" }).click();
  await page.getByLabel("Type carts to confirm").fill("carts");
  await page.getByLabel("Reason").fill("cache-2 retires");
  await page.getByRole("button", { name: "Apply epoch 2" }).click();
  await expect(page.getByText("epoch 2", { exact: true })).toBeVisible();
  const drained = await demo.api.get<{ epoch: number; nodes: { id: string; weight: number }[] }>("rings/carts");
  expect(drained.nodes.find(({ id }) => id === "cache-2")?.weight).toBe(0);

  await page.getByRole("button", { name: "Try to go back" }).click();
  await page.getByRole("button", { name: "Apply…" }).click();
  await page.getByLabel("Type carts to confirm").fill("carts");
  await page.getByLabel("Reason").fill("cache-2 stays");
  await page.getByRole("button", { name: "Apply epoch 3" }).click();
  await expect(page.getByText("epoch 3", { exact: true })).toBeVisible();

  await page.keyboard.press("t");
  await expect(page.getByRole("columnheader", { name: "Fair share" })).toBeVisible();
});
