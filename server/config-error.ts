/** A mistake of the configuration, in a sentence with its place. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode: number;
  constructor(sentence: string, exitCode = 2) {
    super(sentence);
    this.exitCode = exitCode;
  }
}
