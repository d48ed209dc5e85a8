import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../../shared/time.ts";
import { Failure } from "../verbs/context.ts";
import { type CopyJob, copyFiles } from "./copy-files.ts";

/**
 * Copies in a process of its own: the strings that the bytes travel as leave tens of megabytes behind in whoever held them, and the agent
 * stays for months beside the database it shares the machine with.
 */

/** Second word of the command line that makes a process such a copier. */
export const copierArgument = "--copy-files";

type Told = Pick<CopyJob, "source" | "dataDir" | "runAs">;

type Report =
  | { readonly kind: "progress"; readonly values: readonly [number, number, number] }
  | { readonly kind: "done"; readonly bytes: number }
  | { readonly kind: "failed"; readonly code: string; readonly detail: string };

/**
 * As `copyFiles`, in a child that ends with it, with `signal`, and with this process.
 * @throws Failure
 */
export async function copyInChild(job: CopyJob, signal: AbortSignal): Promise<number> {
  const { source, dataDir, runAs, progress } = job;
  if (signal.aborted) throw new Failure("overtaken", "a higher promise was made while the clone ran");
  const self = fileURLToPath(import.meta.url);
  // Bundled, this file is the agent's own program; as a source it needs the loader that runs the agent.
  const execArgv = self.endsWith(".ts") ? ["--import", "tsx"] : [];
  const child = fork(self, [copierArgument], { execArgv, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString("utf8")).slice(-600);
  });
  const stop = () => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on("message", (report: Report) => {
        if (report.kind === "progress") progress(...report.values);
        else if (report.kind === "done") resolve(report.bytes);
        else reject(new Failure(report.code, report.detail));
      });
      child.once("error", (error) => reject(new Failure("clone", `the copier did not start: ${error.message}`)));
      child.once("exit", (code, name) =>
        reject(
          signal.aborted
            ? new Failure("overtaken", "a higher promise was made while the clone ran")
            : new Failure("clone", `the copier ended early (${name ?? code}): ${complaint}`),
        ),
      );
      child.send({ source, dataDir, runAs } satisfies Told);
    });
  } finally {
    signal.removeEventListener("abort", stop);
    child.kill("SIGKILL");
  }
}

/** The child's side: takes one job from its parent, reports, and ends when the parent does. */
export function runCopier(): void {
  const report = (value: Report, then?: () => void) => process.send?.(value, () => then?.());
  process.once("disconnect", () => process.exit(1));
  process.once("message", (told: Told) => {
    const job: CopyJob = {
      ...told,
      progress: (...values) => report({ kind: "progress", values }),
    };
    copyFiles(job).then(
      (bytes) => report({ kind: "done", bytes }, () => process.exit(0)),
      (error: unknown) =>
        report(
          { kind: "failed", code: error instanceof Failure ? error.code : "clone", detail: messageOf(error) },
          () => process.exit(1),
        ),
    );
  });
}

if (import.meta.url.endsWith("/copy-process.ts") && process.argv[2] === copierArgument) runCopier();
