import type { ProgramView } from "../server/protocol/index.ts";
import { expect, test } from "./support/test.ts";

test.beforeEach(async ({ demo }) => {
  await demo.restore();
});

const versionsOf = (view: ProgramView | undefined) => [...new Set(view?.nodes.map(({ status }) => status.version))];

test("a release that crashes goes to one node, is stopped there, and everything is as before", async ({
  demo,
  pageAs,
}) => {
  test.setTimeout(180_000);
  const read = async () => {
    const { items } = await demo.api.get<{ items: readonly ProgramView[] }>("releases");
    return items.find(({ service }) => service === "pricing");
  };
  const [before] = versionsOf(await read());
  const page = await pageAs("operator");
  await page.goto("/changes");
  await page.getByRole("button", { name: "Roll out…" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Release", { exact: true }).selectOption("2.5.0");
  await sheet.getByRole("textbox", { name: "Waves" }).fill("pg-a / pg-b, pg-c");
  await expect(sheet).toContainText("2.5.0 lies ready on 3 nodes");
  const run = sheet.getByRole("button", { name: "Roll out 2.5.0" });
  await expect(run).toHaveAttribute("aria-disabled", "true");
  await sheet.getByLabel("Reason").fill("a journey");
  await sheet.getByLabel("Type pricing to confirm").fill("pricing");
  await run.click();

  const change = page.getByRole("dialog").getByTestId(/^change-CHG-/);
  await expect(change).toContainText("votes yes: staged and held", { timeout: 30_000 });
  await expect(change).toContainText("Watching wave 1", { timeout: 30_000 });
  await expect(change).toContainText("pg-a the process ended by itself", { timeout: 60_000 });
  await expect(change).toHaveAttribute("data-phase", "aborted", { timeout: 60_000 });
  await expect(change).toContainText("Decided: abort");
  await expect(change).toContainText("Everything is as before");
  expect(versionsOf(await read())).toEqual([before]);

  const { items } = await demo.api.get<{ items: readonly { cause: { kind: string } }[] }>("incidents?limit=5");
  expect(items.map(({ cause }) => cause.kind)).toContain("bad-release");
});

test("a dry run asks everybody, and leaves everything as it was", async ({ demo, pageAs }) => {
  const read = async () => {
    const { items } = await demo.api.get<{ items: readonly ProgramView[] }>("releases");
    return versionsOf(items.find(({ service }) => service === "pricing"));
  };
  const before = await read();
  const page = await pageAs("operator");
  await page.goto("/changes");
  await page.getByRole("button", { name: "Roll out…" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Release", { exact: true }).selectOption(before[0] === "2.4.0" ? "2.3.0" : "2.4.0");
  await expect(sheet).toContainText("lies ready on 3 nodes");
  await sheet.getByRole("button", { name: "Dry run" }).click();
  const change = page.getByRole("dialog").getByTestId(/^change-CHG-/);
  await expect(change).toContainText("Dry run: everybody could do it. Nothing was switched", { timeout: 30_000 });
  expect(await read()).toEqual(before);
});

test("a good release goes everywhere, and back with one click", async ({ demo, pageAs }) => {
  test.setTimeout(180_000);
  const read = async () => {
    const { items } = await demo.api.get<{ items: readonly ProgramView[] }>("releases");
    return items.find(({ service }) => service === "pricing");
  };
  const [before] = versionsOf(await read());
  const next = before === "2.4.0" ? "2.3.0" : "2.4.0";
  const page = await pageAs("operator");
  await page.goto("/changes");
  await page.getByRole("button", { name: "Roll out…" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Release", { exact: true }).selectOption(next);
  await sheet.getByLabel("Watch each wave for").selectOption("5");
  await sheet.getByLabel("Reason").fill("a journey");
  await sheet.getByLabel("Type pricing to confirm").fill("pricing");
  await sheet.getByRole("button", { name: `Roll out ${next}` }).click();
  const change = page.getByRole("dialog").getByTestId(/^change-CHG-/);
  await expect(change).toHaveAttribute("data-phase", "done", { timeout: 90_000 });
  expect(versionsOf(await read())).toEqual([next]);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: `Roll back to ${before}` }).click();
  const back = page.getByRole("dialog").getByTestId(/^change-CHG-/);
  await expect(back).toHaveAttribute("data-phase", "done", { timeout: 90_000 });
  expect(versionsOf(await read())).toEqual([before]);
});
