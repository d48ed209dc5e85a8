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

/** As the switch in the header does it: the page stays, its colours change. */
async function findInBothThemes(page: Page, screen: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const theme of themes) {
    await page.evaluate((chosen) => {
      document.documentElement.dataset.theme = chosen;
    }, theme);
    // What moves from colour to colour has arrived.
    await page.waitForTimeout(400);
    for (const problem of await findProblems(page, theme)) found.push(`${theme} ${screen}: ${problem}`);
  }
  return found;
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
  for (const screen of screens) {
    await page.goto(screen);
    await expect(page.getByRole("heading").first(), `${screen} shows its heading`).toBeVisible();
    await page.waitForTimeout(300);
    findings.push(...(await findInBothThemes(page, screen)));
  }
  const context = await browser.newContext({ baseURL: demo.url });
  const outside = await context.newPage();
  await outside.goto("/sign-in");
  await expect(outside.getByRole("heading", { level: 1 })).toBeVisible();
  findings.push(...(await findInBothThemes(outside, "/sign-in")));
  await context.close();
  expect(findings).toEqual([]);
});
