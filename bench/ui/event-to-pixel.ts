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
    await page.waitForTimeout(300);
    const killedAt = Date.now();
    node.killPostgres();
    const paintedAt = await painted;
    if (paintedAt === null) throw new Error(`${node.id}'s box did not change within ${changeMs / 1000} s.`);
    latencies.push(paintedAt - killedAt);
  }
  return latencies;
}

/** The state that a node's glyph shows, by its colour class. */
function readShownState(page: Page, node: string): Promise<string | null> {
  return page.evaluate((name) => {
    const glyph = document.querySelector(`svg a[aria-label="${name}"] [class*="text-"]:not(text)`);
    const match = /\btext-(healthy|suspect|degraded|down|unknown|maintenance|fenced)\b/.exec(
      glyph?.getAttribute("class") ?? "",
    );
    return match?.[1] ?? null;
  }, node);
}

/** Wall clock of the first frame painted after the glyph has changed; null when it did not. */
function watchShownState(page: Page, node: string): Promise<number | null> {
  return page.evaluate(
    ([name, limitMs]) =>
      new Promise<number | null>((resolve) => {
        const read = () =>
          document.querySelector(`svg a[aria-label="${name}"] [class*="text-"]:not(text)`)?.getAttribute("class");
        const before = read();
        const deadline = performance.now() + limitMs;
        const look = () => {
          if (performance.now() > deadline) return resolve(null);
          // The change is in the document; the frame that shows it is the next one.
          if (read() !== before) return requestAnimationFrame(() => resolve(Date.now()));
          requestAnimationFrame(look);
        };
        look();
      }),
    [node, changeMs] as const,
  );
}
