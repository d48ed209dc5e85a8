import type { Page } from "@playwright/test";
import type { Demo } from "../../demo/demo.ts";
import { pollUntil } from "../../demo/poll.ts";

const changeMs = 10_000;
const backMs = 60_000;

/**
 * From the end of a standby's PostgreSQL to the frame in which its box on the Overview shows another state: noticed by the agent, sent, judged,
 * published, rendered and painted. Milliseconds; all clocks are this machine's wall clock, read within seconds of each other.
 */
export async function measureEventToPixel(demo: Demo, page: Page, samples: number): Promise<readonly number[]> {
  const latencies: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const cluster = await demo.waitUntilWhole(backMs);
    const standby = cluster.members.find((member) => member.role === "standby" && member.node !== cluster.primary);
    const node = demo.postgres.find(({ id }) => id === standby?.node);
    if (node === undefined) throw new Error("There is no standby to stop.");
    await pollUntil(`${node.id} healthy on the screen`, backMs, async () =>
      (await readShownState(page, node.id)) === "healthy" ? true : null,
    );
    const painted = watchShownState(page, node.id);
    painted.catch(() => undefined);
    await page.waitForTimeout(300);
    const killedAt = Date.now();
    node.killDatabase();
    const paintedAt = await painted;
    if (paintedAt === null) throw new Error(`${node.id}'s box did not change within ${changeMs / 1000} s.`);
    latencies.push(paintedAt - killedAt);
  }
  return latencies;
}

/** In the page: the glyph of a node's box in the replication tree. */
const glyphOf = (node: string) =>
  `document.querySelector('svg a[aria-label=${JSON.stringify(node)}] [class*="text-"]:not(text)')?.getAttribute("class")`;

/** The state that a node's glyph shows, by its colour class. */
async function readShownState(page: Page, node: string): Promise<string | null> {
  const shown = await page.evaluate<string | undefined>(glyphOf(node));
  return /\btext-(healthy|suspect|degraded|down|unknown|maintenance|fenced)\b/.exec(shown ?? "")?.[1] ?? null;
}

/**
 * Wall clock of the first frame painted after the glyph has changed; null when it did not. The script is text: what runs in the page must not
 * pass through our own compiler.
 */
function watchShownState(page: Page, node: string): Promise<number | null> {
  return page.evaluate<number | null>(`new Promise((resolve) => {
    const read = () => ${glyphOf(node)};
    const before = read();
    const deadline = performance.now() + ${changeMs};
    const look = () => {
      if (performance.now() > deadline) return resolve(null);
      // The change is in the document; the frame that shows it is the next one.
      if (read() !== before) return requestAnimationFrame(() => resolve(Date.now()));
      requestAnimationFrame(look);
    };
    look();
  })`);
}
