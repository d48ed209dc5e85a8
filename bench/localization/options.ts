/** Reads `--name value` and `--flag` arguments. A name without a value is a flag. */
export function parseOptions(args: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith("--")) throw new Error(`unexpected argument: ${arg}`);
    const next = args[i + 1];
    if (next === undefined || next.startsWith("--")) {
      options.set(arg.slice(2), "");
    } else {
      options.set(arg.slice(2), next);
      i += 1;
    }
  }
  return options;
}

/** A required option's value. Throws a sentence that names it. */
export function requireOption(options: ReadonlyMap<string, string>, name: string): string {
  const value = options.get(name);
  if (!value) throw new Error(`--${name} is required`);
  return value;
}
