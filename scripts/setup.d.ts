/** Does what is missing, a line of progress for each step. Throws with a sentence when a step fails. */
export function runSetup(say: (line: string) => void): Promise<void>;
