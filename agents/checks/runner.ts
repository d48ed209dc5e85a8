import type { CheckResult } from "../../server/core/index.ts";
import type { CheckConfig } from "../config/schema.ts";
import { Repeater } from "../shared/repeater.ts";
import { messageOf, monotonicMs, within } from "../shared/time.ts";
import { checkFile } from "./file.ts";
import { checkHttp } from "./http.ts";
import { checkProcess } from "./process.ts";
import { checkSql } from "./sql.ts";
import { checkTcp } from "./tcp.ts";

/** What one check found. Detail is shown to people; it is cut here and treated as hostile everywhere else. */
export interface Finding {
  readonly ok: boolean;
  readonly detail: string;
}

const maxDetail = 300;

/** Runs the configured checks on their schedules; a heartbeat carries the last results. */
export class CheckRunner {
  readonly #loops: readonly Repeater[];
  readonly #results = new Map<string, CheckResult & { readonly failingSinceMs: number | null }>();
  readonly #node: string;
  readonly #onChange: () => void;

  constructor(node: string, checks: readonly CheckConfig[], onChange: () => void) {
    this.#node = node;
    this.#onChange = onChange;
    this.#loops = checks.map((check) => new Repeater(check.everySeconds * 1_000, () => this.#run(check)));
  }

  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  stop(): void {
    for (const loop of this.#loops) loop.stop();
  }

  read(nowMs: number): readonly CheckResult[] {
    return [...this.#results.values()].map(({ failingSinceMs, ...result }) => ({
      ...result,
      failingForMs: failingSinceMs === null ? 0 : nowMs - failingSinceMs,
    }));
  }

  async #run(check: CheckConfig): Promise<void> {
    const startedAt = monotonicMs();
    let finding: Finding;
    try {
      finding = await within(look(check), check.timeoutMs, `check ${check.name}`);
    } catch (error) {
      finding = { ok: false, detail: messageOf(error) };
    }
    const before = this.#results.get(check.name);
    this.#results.set(check.name, {
      name: check.name,
      kind: check.kind,
      subject: check.subject ?? this.#node,
      ok: finding.ok,
      ms: monotonicMs() - startedAt,
      detail: finding.detail.slice(0, maxDetail),
      failingForMs: 0,
      failingSinceMs: finding.ok ? null : (before?.failingSinceMs ?? startedAt),
    });
    if (before?.ok !== finding.ok) this.#onChange();
  }
}

function look(check: CheckConfig): Promise<Finding> {
  switch (check.kind) {
    case "tcp":
      return checkTcp(check);
    case "http":
      return checkHttp(check);
    case "sql":
      return checkSql(check);
    case "process":
      return checkProcess(check);
    case "file":
      return checkFile(check);
  }
}
