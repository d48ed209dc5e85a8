/**
 * Joins the lines of a log that belong together: stack traces, and whatever is indented below its first line. Pure: lines in, records out;
 * what is still open is flushed by whoever knows the time.
 */
export class LineJoiner {
  #lines: string[] = [];
  #chars = 0;
  #mode: "plain" | "python" | "go" = "plain";

  get isOpen(): boolean {
    return this.#lines.length > 0;
  }

  /** The record that this line completes by beginning another one; null when there is none. */
  add(line: string): string | null {
    if (this.isOpen && this.#continues(line)) {
      this.#append(line);
      return null;
    }
    const done = this.flush();
    this.#append(line);
    return done;
  }

  flush(): string | null {
    if (!this.isOpen) return null;
    const record = this.#lines.join("\n").trimEnd();
    this.#lines = [];
    this.#chars = 0;
    this.#mode = "plain";
    return record === "" ? null : record;
  }

  #append(line: string): void {
    if (/^\s*Traceback \(most recent call last\):/.test(line)) this.#mode = "python";
    else if (/^(?:panic|fatal error): |^goroutine \d+ \[/.test(line)) this.#mode = "go";
    else if (this.#mode === "python" && /^\S/.test(line) && this.isOpen) this.#mode = "plain";
    // The beginning says what happened: what is beyond the limit is left out.
    if (this.#lines.length >= maxLines || this.#chars + line.length > maxChars) return;
    this.#lines.push(line);
    this.#chars += line.length;
  }

  #continues(line: string): boolean {
    if (/^\s+\S/.test(line) || continuations.test(line)) return true;
    if (line.trim() === "") return this.#mode !== "plain" || this.#lines.length > 1;
    // The exception itself stands at the margin below its frames.
    if (this.#mode === "python") return true;
    return this.#mode === "go" && /^[\w./*()[\]{}-]+\(.*\)$|^created by |^exit status /.test(line);
  }
}

const maxLines = 200;
const maxChars = 16_000;

const continuations =
  /^(?:Caused by: |Suppressed: |\.\.\. \d+ more|Traceback \(most recent|During handling of the above|The above exception was|goroutine \d+ \[|created by |\}\s*$)|(?:^|\s)(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION): {1,2}/;
