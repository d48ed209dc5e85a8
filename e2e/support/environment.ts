/** What the set-up hands to the journeys, which run in processes of their own. */
export interface JourneyEnvironment {
  /** Where the control plane is. */
  readonly url: string;
  readonly adminToken: string;
  readonly supervisorUrl: string;
  readonly supervisorToken: string;
  /** Folder with a stored browser session for each role. */
  readonly sessions: string;
}

const name = "HOLDFAST_JOURNEYS";

export function writeEnvironment(environment: JourneyEnvironment): void {
  process.env[name] = JSON.stringify(environment);
}

export function readEnvironment(): JourneyEnvironment {
  const text = process.env[name];
  if (text === undefined) throw new Error("The journeys' set-up has not run.");
  return JSON.parse(text) as JourneyEnvironment;
}
