import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** One run, as it stands in the results file: a line of JSON. */
export interface RunRecord {
  readonly scenario: string;
  readonly at: string;
  /** Everything that was expected came about. */
  readonly ok: boolean;
  /** Why not; null when ok. */
  readonly why: string | null;
  readonly from: string;
  readonly to: string | null;
  /** Mark → first acknowledged write; null when none was expected, or none came. */
  readonly ms: number | null;
  /** Longest time without an acknowledged write. */
  readonly gapMs: number;
  /** Last heal → every member streams and counts again. */
  readonly rejoinedMs: number | null;
  readonly acknowledged: number;
  /** Acknowledged, not there, and not announced. */
  readonly lost: number;
  /** Asynchronous clusters: bytes of WAL that the failover said it may lose, and acknowledged writes that were in them. */
  readonly announced?: { readonly bytes: number; readonly lost: number };
  readonly double: number;
}

/** Results of several calls add up: each appends, and goes on where the file ends. */
export class Results {
  readonly #file: string | null;
  readonly #records: RunRecord[];

  constructor(file: string | null) {
    this.#file = file;
    if (file !== null) mkdirSync(dirname(file), { recursive: true });
    this.#records = file !== null && existsSync(file) ? readRecords(file) : [];
  }

  get records(): readonly RunRecord[] {
    return this.#records;
  }

  count(scenario: string): number {
    return this.#records.filter((record) => record.scenario === scenario).length;
  }

  add(record: RunRecord): void {
    this.#records.push(record);
    if (this.#file !== null) appendFileSync(this.#file, `${JSON.stringify(record)}\n`);
  }
}

/** A last line that was cut off in the middle is no result. */
function readRecords(file: string): RunRecord[] {
  const records: RunRecord[] = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line.trim() === "") continue;
    try {
      records.push(JSON.parse(line) as RunRecord);
    } catch {
      console.error(`${file}: a line is no JSON and is left out: ${line.slice(0, 80)}`);
    }
  }
  return records;
}
