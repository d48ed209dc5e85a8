import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestText } from "../../../server/core/index.ts";
import { readIfPresent, syncDirectory, writeDurably } from "../../shared/durable-file.ts";
import { runProgram } from "../postgres/processes.ts";
import type { ProgramFile, ProgramService } from "./service.ts";

const checkWithinMs = 20_000;

/** A configuration file on its way: staged beside its place, judged by the service's own checker, swapped by one rename. */

export async function fileVersion(file: ProgramFile): Promise<string | null> {
  const content = await readIfPresent(file.path).catch(() => null);
  return content === null ? null : digestText(content);
}

function stagedPath(file: ProgramFile, change: string): string {
  return `${file.path}.${change}`;
}

/** Where what the file held before a change is kept: its inverse. */
function keptPath(service: ProgramService, file: ProgramFile, change: string): string {
  return join(service.stateDir, "kept", service.name, `${change}-${file.name}`);
}

/** Who may read and write the file stays as it is, on the way there and back: it may hold what nobody else should see. */
async function accessOf(file: ProgramFile): Promise<Parameters<typeof writeDurably>[2]> {
  const before = await stat(file.path).catch(() => null);
  if (before === null) return { mode: 0o644 };
  return { mode: before.mode & 0o777, owner: { uid: before.uid, gid: before.gid } };
}

/** @throws Error with what the checker says when it does not accept the content. */
export async function stageFile(
  service: ProgramService,
  file: ProgramFile,
  change: string,
  content: string,
): Promise<void> {
  const staged = stagedPath(file, change);
  await writeDurably(staged, content, await accessOf(file));
  if (file.check === null) return;
  const [program, ...args] = file.check.map((part) => part.replaceAll("{file}", staged));
  const options = { runAs: service.runAs, deadlineMs: checkWithinMs, cwd: dirname(file.path) };
  const { code, output } = await runProgram(program as string, args, options);
  if (code === 0) return;
  await rm(staged, { force: true });
  throw new Error(`the checker ended with ${code}: ${output.trim().slice(-300)}`);
}

/** Safe to repeat: what was there before is kept once, and a staged file that has gone was swapped already. */
export async function swapFile(service: ProgramService, file: ProgramFile, change: string): Promise<void> {
  const staged = stagedPath(file, change);
  if ((await stat(staged).catch(() => null)) === null) return;
  const kept = keptPath(service, file, change);
  if ((await stat(kept).catch(() => null)) === null) {
    await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
    await writeDurably(kept, JSON.stringify({ content: await readIfPresent(file.path) }));
  }
  await rename(staged, file.path);
  await syncDirectory(dirname(file.path));
}

export async function discardFile(file: ProgramFile, change: string): Promise<void> {
  await rm(stagedPath(file, change), { force: true });
}

/** What the file held before a change. @throws Error when that is not kept (any more). */
export async function keptContent(service: ProgramService, file: ProgramFile, change: string): Promise<string | null> {
  const text = await readIfPresent(keptPath(service, file, change));
  if (text === null) throw new Error(`what ${file.name} held before ${change} is not kept on this node`);
  return (JSON.parse(text) as { content: string | null }).content;
}

/** Puts back what a change replaced. Answers false when the change never swapped. */
export async function restoreFile(service: ProgramService, file: ProgramFile, change: string): Promise<boolean> {
  const text = await readIfPresent(keptPath(service, file, change));
  if (text === null) return false;
  const { content } = JSON.parse(text) as { content: string | null };
  if (content === null) await rm(file.path, { force: true });
  else await writeDurably(file.path, content, await accessOf(file));
  return true;
}
