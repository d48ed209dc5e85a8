import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import type { IncidentView } from "../server/protocol/index.ts";
import { expect, test } from "./support/test.ts";

const themes = ["dark", "light"] as const;

/** Serious and critical findings, one line each. Themes differ in colours alone: every rule is asked in the first, contrast in all. */
async function findProblems(page: Page, theme: (typeof themes)[number]): Promise<readonly string[]> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (theme === themes[0] ? axe : axe.withRules(["color-contrast"])).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")})`);
}

async function usesTheme(page: Page, theme: (typeof themes)[number], url: string): Promise<void> {
  await page.context().addCookies([{ name: "holdfast-theme", value: theme, url }]);
}

test("every screen is free of serious findings in both themes", async ({ demo, pageAs, browser }) => {
  test.setTimeout(600_000);
  await demo.restore();
  const { items } = await demo.api.get<{ items: readonly IncidentView[] }>("incidents?cluster=orders");
  const screens = [
    "/",
    "/fleet",
    "/nodes/pg-a",
    "/nodes/app-1",
    "/clusters",
    "/clusters/orders",
    "/clusters/orders?action=switchover",
    "/incidents",
    ...items.slice(0, 1).map(({ id }) => `/incidents/${id}`),
    "/traces",
    "/map",
    "/policies",
    "/policies?rule=cpu",
    "/ring",
    "/locks",
    "/changes",
    "/nodes/add",
    "/audit",
  ];
  const page = await pageAs("admin");
  const findings: string[] = [];
  for (const theme of themes) {
    await usesTheme(page, theme, demo.url);
    for (const screen of screens) {
      await page.goto(screen);
      await expect(page.getByRole("heading").first(), `${screen} shows its heading`).toBeVisible();
      await page.waitForTimeout(700);
      for (const problem of await findProblems(page, theme)) findings.push(`${theme} ${screen}: ${problem}`);
    }
    const context = await browser.newContext({ baseURL: demo.url });
    const outside = await context.newPage();
    await usesTheme(outside, theme, demo.url);
    await outside.goto("/sign-in");
    await expect(outside.getByRole("heading", { level: 1 })).toBeVisible();
    for (const problem of await findProblems(outside, theme)) findings.push(`${theme} /sign-in: ${problem}`);
    await context.close();
  }
  expect(findings).toEqual([]);
});
