import { readFileSync } from "node:fs";
import type { IncidentView } from "../server/protocol/index.ts";
import { expect, test } from "./support/test.ts";

test.beforeEach(async ({ demo }) => {
  await demo.restore();
});

test("an incident is reviewed, acknowledged, annotated and exported", async ({ demo, pageAs }) => {
  await demo.cause({ fault: "pgkill" });
  await demo.restore();
  const { items } = await demo.api.get<{ items: readonly IncidentView[] }>("incidents?cluster=orders");
  const incident = items[0] as IncidentView;

  const page = await pageAs("operator");
  await page.goto("/incidents");
  await page.getByRole("button", { name: /^All \d/ }).click();
  await page.getByRole("listitem").filter({ hasText: incident.id }).getByRole("link").first().click();
  await expect(page).toHaveURL(new RegExp(`/incidents/${incident.id}`));
  await expect(page.getByRole("heading", { level: 1 })).toContainText("orders");
  await expect(page.getByText("Writes unavailable").first()).toBeVisible();
  await expect(page.getByText(/no acknowledged write lost/).first()).toBeVisible();

  await page.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await expect(page.getByText(/acknowledged by Journey operator/).first()).toBeVisible();

  await page.getByRole("button", { name: "Add note", exact: true }).first().click();
  const note = page.getByRole("textbox").last();
  await note.fill("The kernel log shows nothing. **Watch** it <script>alert(1)</script>.");
  await note.press("Control+Enter");
  await expect(page.getByText("The kernel log shows nothing.")).toBeVisible();

  await page.getByRole("button", { name: "Export report" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: /Markdown/ }).click();
  const report = readFileSync(await (await download).path(), "utf8");
  expect(report).toContain(incident.id);
  expect(report).toContain("The kernel log shows nothing.");
});
