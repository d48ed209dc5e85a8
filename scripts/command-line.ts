import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>["values"];

/**
 * Reads the options of one of the project's own commands. What can't be read, or what `take` throws at, ends the process with the reason (exit
 * code 2); `--help` prints the usage, whose first words are the command.
 */
export function readCommand<const O extends Options, T>(usage: string, options: O, take: (values: Values<O>) => T): T {
  // `npm run x -- --y` leaves nothing between, `node scripts/run.js x -- --y` leaves the dashes.
  const args = process.argv.slice(2).filter((argument) => argument !== "--");
  if (args.some((argument) => argument === "--help" || argument === "-h")) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return take(parseArgs({ args, options }).values as Values<O>);
  } catch (error) {
    // What parseArgs says behind its first sentence is about positional arguments, which no command takes.
    const [reason] = (error as Error).message.split(". To specify a positional");
    const [command] = usage.split(" -- ");
    console.error(`${reason}\nThe options are told by: ${command} -- --help`);
    process.exit(2);
  }
}

/** @throws Error that names the option and its range. */
export function readWhole(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new Error(`${name} ${text}: give a whole number from ${from} to ${to}.`);
}

/** @throws Error that names what there is. `kind`: what the names are of, as in "There is no fault x". */
export function readNames<N extends string>(kind: string, text: string, known: readonly N[]): readonly N[] {
  const names = text.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !known.some((other) => other === name));
  if (unknown !== undefined) throw new Error(`There is no ${kind} ${unknown}; there are ${known.join(", ")}.`);
  return [...new Set(names as N[])];
}
