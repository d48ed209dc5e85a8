import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Core } from "../../runtime/core-port.ts";
import { realFence, soundHands } from "../agent-parts.ts";
import type { SimulationOptions } from "../simulation.ts";
import type { Mutant } from "./mutant.ts";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/**
 * Builds the broken part: a copy of the core or of the fence in a temporary folder with one text replaced. A mutant whose text is no longer
 * there (or there twice) is an error: it would prove nothing.
 */
export async function loadMutant(
  mutant: Mutant,
): Promise<Pick<SimulationOptions, "core" | "fence" | "hands" | "sendsBeforeCommit">> {
  const hands = { ...soundHands, ...mutant.hands };
  const { source } = mutant;
  const { sendsBeforeCommit = false } = mutant;
  if (source === undefined) return { hands, sendsBeforeCommit };
  const folder = mkdtempSync(join(tmpdir(), "holdfast-mutant-"));
  if (folders.length === 0) process.once("exit", removeFolders);
  folders.push(folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  cpSync(join(repository, "server/core"), join(folder, "server/core"), { recursive: true });
  cpSync(join(repository, "agents/fence"), join(folder, "agents/fence"), { recursive: true });
  const { text } = readPlace(mutant.name, source);
  const path = join(folder, pathOf(source));
  writeFileSync(
    path,
    text.replace(source.find, () => source.replace),
  );
  if (source.of === "core") {
    const core: Core = await import(pathToFileURL(join(folder, "server/core/index.ts")).href);
    return { hands, core: { decide: core.decide, applyWrites: core.applyWrites } };
  }
  const broken = await import(pathToFileURL(path).href);
  if (source.file === "lease.ts") return { hands, fence: { ...realFence, lease: broken } };
  return {
    hands,
    fence: {
      ...realFence,
      judgeCommand: broken.judgeCommand,
      recordOutcome: broken.recordOutcome,
      stillHolds: broken.stillHolds,
    },
  };
}

type Source = NonNullable<Mutant["source"]>;

function pathOf(source: Source): string {
  return join(source.of === "core" ? "server/core" : "agents/fence", source.file);
}

/** The file that a mutant breaks. @throws Error when the text to break is not there exactly once. */
export function readPlace(name: string, source: Source): { readonly text: string } {
  const text = readFileSync(join(repository, pathOf(source)), "utf8");
  const places = text.split(source.find).length - 1;
  if (places === 1) return { text };
  throw new Error(`mutant ${name}: its text is in ${source.file} ${places} times; bring it up to date`);
}
