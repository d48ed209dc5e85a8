// `npm run bench:ui`: what the Overview weighs as a modern browser downloads it, and how long an agent's event takes to the screen.
import { chromium } from "@playwright/test";
import type { Demo } from "../../demo/demo.ts";
import { portSpan } from "../../demo/topology.ts";
import { openSession } from "../../e2e/support/sessions.ts";
import { chromiumArgs, ensureChromium } from "../../scripts/chromium.js";
import { readCommand, readWhole } from "../../scripts/command-line.ts";
import { runMain, withDemo } from "../demo-run.ts";
import { percentile } from "../failover/statistics.ts";
import { measureEventToPixel } from "./event-to-pixel.ts";
import { measureFirstLoad } from "./first-load.ts";

const usage = `npm run bench:ui -- [--samples N] [--json]
  --samples N    events that are followed to the screen (default 20)
  --port N       first of the ${portSpan} ports it uses (default 7500)
  --folder DIR   keep data and logs there
  --json         the last line is one object`;

const limits = { overviewJsKb: 280, pixelP50Ms: 150, pixelP95Ms: 400 };

interface Figures {
  readonly overviewJsKb: number;
  readonly files: number;
  readonly uncompressed: readonly string[];
  readonly pixelP50Ms: number | null;
  readonly pixelP95Ms: number | null;
  readonly samples: number;
}

async function measure(demo: Demo, samples: number): Promise<Figures> {
  const { url } = demo.controlPlane;
  const storageState = await openSession(demo.api, url, "operator");
  const browser = await chromium.launch({ executablePath: ensureChromium(console.log), args: chromiumArgs });
  try {
    const { gzipKb, files, uncompressed } = await measureFirstLoad(browser, `${url}/`, storageState);
    const context = await browser.newContext({ storageState, viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    await page.goto(`${url}/`);
    const latencies = samples === 0 ? [] : await measureEventToPixel(demo, page, samples);
    return {
      overviewJsKb: gzipKb,
      files,
      uncompressed,
      pixelP50Ms: percentile(latencies, 0.5),
      pixelP95Ms: percentile(latencies, 0.95),
      samples: latencies.length,
    };
  } finally {
    await browser.close();
  }
}

async function main(): Promise<number> {
  const { samples, json, ...where } = readCommand(
    usage,
    {
      samples: { type: "string", default: "20" },
      port: { type: "string", default: "7500" },
      folder: { type: "string" },
      json: { type: "boolean", default: false },
    },
    (values) => ({
      samples: readWhole("--samples", values.samples, 0, 1_000),
      port: readWhole("--port", values.port, 1_024, 65_000),
      folder: values.folder ?? null,
      json: values.json,
    }),
  );
  const figures = await withDemo(where, (demo) => measure(demo, samples));
  console.log(
    `\nOverview, first load: ${figures.overviewJsKb} KB of JavaScript in ${figures.files} files (limit ${limits.overviewJsKb}).`,
  );
  for (const file of figures.uncompressed) console.log(`  not compressed: ${file}`);
  console.log(
    `Agent event to painted pixel: p50 ${figures.pixelP50Ms} ms, p95 ${figures.pixelP95Ms} ms over ${figures.samples} events ` +
      `(limits ${limits.pixelP50Ms} and ${limits.pixelP95Ms}).`,
  );
  if (json) console.log(JSON.stringify(figures));
  const slow = (figures.pixelP50Ms ?? 0) > limits.pixelP50Ms || (figures.pixelP95Ms ?? 0) > limits.pixelP95Ms;
  return figures.overviewJsKb > limits.overviewJsKb || slow ? 1 : 0;
}

await runMain(main);
