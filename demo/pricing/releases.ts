import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PortAddress } from "../network/silent-ports.ts";

/** The demo's service with releases: one that runs, one to roll out, and two that do badly in different ways. */
export const pricingService = "pricing";

const releases = [
  { version: "2.3.0", fault: null },
  { version: "2.4.0", fault: null },
  { version: "2.5.0", fault: "crash" },
  { version: "2.6.0", fault: "unhealthy" },
] as const;

export interface PricingPlace {
  readonly root: string;
  readonly folder: string;
  readonly listen: PortAddress;
}

/** Lays the releases out on a node, as a build would deliver them; the first one is switched on. */
export function layOutReleases({ root, folder }: Pick<PricingPlace, "root" | "folder">): void {
  const dir = join(folder, pricingService);
  for (const release of releases) {
    const target = join(dir, "releases", release.version);
    mkdirSync(target, { recursive: true });
    copyFileSync(join(root, "demo", "pricing", "server.js"), join(target, "server.js"));
    writeFileSync(join(target, "package.json"), '{ "type": "module" }\n');
    writeFileSync(join(target, "release.json"), `${JSON.stringify(release)}\n`);
  }
  copyFileSync(join(root, "demo", "pricing", "check.js"), join(dir, "check.js"));
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }\n');
  const prices = join(dir, "prices.json");
  if (!existsSync(prices)) writeFileSync(prices, '{ "currency": "EUR" }\n');
  const current = join(dir, "current");
  if (!existsSync(current)) symlinkSync(join("releases", releases[0].version), current);
}

/** The service in a node's `agent.yaml`. */
export function describePricing({ folder, listen }: Omit<PricingPlace, "root">): Record<string, unknown> {
  const dir = join(folder, pricingService);
  return {
    name: pricingService,
    dir,
    command: [process.execPath, "server.js"],
    environment: { PORT: String(listen.port), PRICES: join(dir, "prices.json") },
    health: { url: `http://${listen.host}:${listen.port}/health`, everyMs: 1_000, timeoutMs: 1_000 },
    startWithinMs: 10_000,
    files: [
      {
        name: "prices.json",
        path: join(dir, "prices.json"),
        check: [process.execPath, join(dir, "check.js"), "{file}"],
        reload: { signal: "SIGHUP" },
      },
    ],
  };
}
