import type { Browser, BrowserContextOptions, CDPSession } from "@playwright/test";

export interface FirstLoad {
  /** JavaScript as it came over the wire, compressed, without headers where Chromium tells them apart. */
  readonly gzipKb: number;
  readonly files: number;
  /** Files that came uncompressed although they are worth compressing. */
  readonly uncompressed: readonly string[];
}

const settleMs = 3_000;
const worthCompressingBytes = 2_048;

/** Opens a page in a browser that has nothing cached, touches nothing, and adds up the scripts it downloads. */
export async function measureFirstLoad(
  browser: Browser,
  url: string,
  storageState: BrowserContextOptions["storageState"],
): Promise<FirstLoad> {
  const context = await browser.newContext({ storageState });
  try {
    const page = await context.newPage();
    const scripts = await watchScripts(await context.newCDPSession(page));
    await page.goto(url, { waitUntil: "load" });
    await page.waitForTimeout(settleMs);
    const all = [...scripts.values()];
    const bytes = all.reduce((sum, script) => sum + script.bytes, 0);
    const uncompressed = all.filter(({ encoding, bytes: size }) => encoding === "" && size > worthCompressingBytes);
    return {
      gzipKb: Math.round(bytes / 102.4) / 10,
      files: all.length,
      uncompressed: uncompressed.map(({ url: at }) => at),
    };
  } finally {
    await context.close();
  }
}

interface Script {
  readonly url: string;
  readonly encoding: string;
  bytes: number;
}

async function watchScripts(session: CDPSession): Promise<ReadonlyMap<string, Script>> {
  const scripts = new Map<string, Script>();
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  session.on("Network.responseReceived", ({ requestId, type, response }) => {
    if (type !== "Script") return;
    const encoding = Object.entries(response.headers).find(([name]) => name.toLowerCase() === "content-encoding")?.[1];
    scripts.set(requestId, { url: response.url, encoding: encoding ?? "", bytes: 0 });
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const script = scripts.get(requestId);
    if (script !== undefined) script.bytes = encodedDataLength;
  });
  return scripts;
}
