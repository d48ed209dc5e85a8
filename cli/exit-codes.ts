/** What a script may rely on. */
export const exitCodes = {
  done: 0,
  /** Something unexpected. */
  error: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The server said no: a check blocks, the role is too low, the state has changed, or nobody confirmed. */
  refused: 3,
  /** No server answered, or it can't reach its database. */
  unreachable: 4,
  /** The action began and did not end well; a look is needed. */
  actionFailed: 5,
} as const;

/** An end of the command with its code and a sentence for the person. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, sentence: string) {
    super(sentence);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}
