import { dirname, join, resolve } from "node:path";
import type { ProgramService } from "../drivers/program/service.ts";
import { messageOf } from "../shared/time.ts";
import { resolveRunAs } from "./run-as.ts";
import type { AgentConfigFile, ProgramConfigFile } from "./schema.ts";

/** Resolves the plain services. @throws Error that names the service and what is wrong with it. */
export async function resolvePrograms(
  configPath: string,
  stateDir: string,
  file: AgentConfigFile,
): Promise<ProgramService[]> {
  const names = new Set(file.programs.map(({ name }) => name));
  if (names.size < file.programs.length) throw new Error("programs: two have the same name");
  return Promise.all(
    file.programs.map((program) => resolveProgram(dirname(configPath), stateDir, file.stopWithAgent, program)),
  );
}

async function resolveProgram(
  base: string,
  stateDir: string,
  stopWithAgent: boolean,
  program: ProgramConfigFile,
): Promise<ProgramService> {
  const { name, health, command, unit } = program;
  if ((command === undefined) === (unit === undefined)) {
    throw new Error(`programs: ${name} needs either command or unit`);
  }
  const dir = resolve(base, program.dir);
  // Without a word on it a service runs as who runs the agent: only a database's server refuses root.
  const runAs =
    program.runAs === undefined
      ? null
      : await resolveRunAs(program.runAs, dir).catch((error: unknown) => {
          throw new Error(`programs: ${name}: runAs: ${messageOf(error)}`);
        });
  return {
    name,
    dir,
    command: command ?? null,
    unit: unit ?? null,
    environment: program.environment,
    health: health === undefined ? null : "url" in health ? { kind: "http", ...health } : { kind: "tcp", ...health },
    runAs,
    files: program.files.map((each) => ({ ...each, path: resolve(base, each.path), check: each.check ?? null })),
    startWithinMs: program.startWithinMs,
    stopWithinMs: program.stopWithinMs,
    stateDir: join(stateDir, "programs"),
    stopWithAgent,
  };
}

/** Steps of changes are allowed where there is something to change. */
export function changeVerbs(file: AgentConfigFile): string[] {
  return file.programs.length === 0 ? [] : ["change.step"];
}
