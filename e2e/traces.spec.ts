import { expect, test } from "./support/test.ts";

test("errors are found, read, merged and split again", async ({ demo, pageAs }) => {
  const name = `JourneyError${Date.now() % 100_000}`;
  const nodes = await demo.api.get<{ items: readonly { id: string }[] }>("nodes");
  expect(nodes.items.length).toBeGreaterThan(0);
  const frame = { function: "placeOrder", file: "/srv/orders/src/orders.js", line: 41 };
  const library = { function: "query", file: "/srv/orders/node_modules/pg/lib/client.js", line: 5 };
  await demo.reportTraces([
    { type: `${name}A`, message: "the first", frames: [frame, library] },
    { type: `${name}B`, message: "the second", frames: [frame] },
  ]);

  const page = await pageAs("operator");
  await page.goto(`/traces?q=${name}`);
  await page.getByRole("link", { name: `${name}A` }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(`${name}A`);
  await expect(page.getByText("1 frame of libraries").first()).toBeVisible();
  await expect(page.getByText("the same type of error")).toBeVisible();

  await page.getByRole("button", { name: "Merge…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("searchbox").fill(`${name}B`);
  await dialog.getByRole("checkbox").first().check();
  await dialog.getByRole("button", { name: "Merge 1 group" }).click();
  await expect(page.getByText("merged by a person: 1 more kind")).toBeVisible();
  await page.getByRole("button", { name: "Split off" }).click();
  await expect(page.getByText("merged by a person: 1 more kind")).toBeHidden();
  await page.goto("/audit");
  await expect(page.getByText("Trace group split").first()).toBeVisible();
});
