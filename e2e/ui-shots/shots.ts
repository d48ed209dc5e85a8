/**
 * Screenshots of the main screens from a running demo, for the README and for judging a change with one's own eyes:
 *   npx tsx e2e/ui-shots/shots.ts --link 'http://127.0.0.1:7300/sign-in#once=…' [--out docs/screenshots] [--break crash]
 * With `--break` the primary is broken in between, so that the incident and its failover are on the pictures.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "@playwright/test";
import { chromiumArgs, findChromium } from "../../scripts/chromium.js";

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly ready: string;
  /** What to press before the picture is taken. */
  readonly prepare?: (page: Page) => Promise<void>;
}

const sizes = [
  { name: "", width: 1440, height: 900 },
  { name: "-phone", width: 390, height: 844 },
] as const;
const themes = ["dark", "light"] as const;
const settleMs = 4_000;
const recoverMs = 20_000;

const calm: readonly Shot[] = [
  { name: "overview-calm", path: "/", ready: "#problems" },
  { name: "fleet", path: "/fleet?view=table", ready: "[role=table]" },
  { name: "cluster", path: "/clusters/orders", ready: "h1" },
  { name: "add-nodes", path: "/nodes/add", ready: "h1" },
];
/** Seen by who is not signed in. */
const entry: readonly Shot[] = [
  { name: "sign-in", path: "/sign-in", ready: "h1" },
  { name: "set-up", path: "/setup", ready: "h1" },
];
const broken: readonly Shot[] = [
  { name: "overview", path: "/", ready: "[data-problem-link], #problems" },
  { name: "incidents", path: "/incidents", ready: "h1" },
  { name: "incident", path: "/incidents", ready: "h1", prepare: openNewestIncident },
  { name: "node", path: "/nodes/pg-b", ready: "h1" },
  { name: "audit", path: "/audit", ready: "h1" },
];

async function openNewestIncident(page: Page): Promise<void> {
  const first = page.locator('main a[href^="/incidents/"]').first();
  if ((await first.count()) > 0) await first.click();
}

async function takeShots(
  browser: Browser,
  base: string,
  storageState: BrowserContextOptions["storageState"],
  shots: readonly Shot[],
  out: string,
): Promise<void> {
  for (const colorScheme of themes) {
    for (const { name: size, width, height } of sizes) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, storageState });
      const page = await context.newPage();
      for (const shot of shots) {
        await page.goto(new URL(shot.path, base).href);
        await page.locator(shot.ready).first().waitFor({ timeout: 60_000 });
        await shot.prepare?.(page);
        await page.waitForTimeout(settleMs);
        await page.screenshot({ path: join(out, `${shot.name}-${colorScheme}${size}.png`) });
      }
      await context.close();
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      link: { type: "string" },
      out: { type: "string", default: "docs/screenshots" },
      break: { type: "string" },
    },
  });
  if (values.link === undefined) throw new Error("Give the one-time sign-in link that the demo printed: --link URL");
  await mkdir(values.out, { recursive: true });
  const executablePath = findChromium();
  const browser = await chromium.launch({
    args: [...chromiumArgs],
    ...(executablePath === null ? {} : { executablePath }),
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.goto(values.link);
    await page.locator("#problems").waitFor({ timeout: 60_000 });
    const base = new URL("/", page.url()).href;
    const state = await context.storageState();
    await takeShots(browser, base, undefined, entry, values.out);
    await takeShots(browser, base, state, calm, values.out);
    if (values.break === undefined) return;
    await page.locator(`[data-fault="${values.break}"]`).click();
    await page.waitForTimeout(recoverMs);
    await takeShots(browser, base, state, broken, values.out);
  } finally {
    await browser.close();
  }
}

await main();
