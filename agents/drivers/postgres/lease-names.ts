/**
 * How agents talk about a lease without the control plane: by the names of their connections to the primary's own server. The primary's
 * agent asks under one name, each standby's agent answers under another. Pure. PostgreSQL keeps 63 bytes of a name.
 */

export interface LeaseName {
  readonly epoch: number;
  readonly ask: number;
}

/** `hf-ask <epoch> <ask>`, numbers to the base 36. */
export function askName({ epoch, ask }: LeaseName): string {
  return `hf-ask ${epoch.toString(36)} ${ask.toString(36)}`;
}

/** `hf-ok <epoch> <ask> <node>`. */
export function renewalName({ epoch, ask }: LeaseName, node: string): string {
  return `hf-ok ${epoch.toString(36)} ${ask.toString(36)} ${node}`;
}

/** Null for any other name. */
export function parseAskName(text: string): LeaseName | null {
  const match = /^hf-ask ([0-9a-z]{1,11}) ([0-9a-z]{1,11})$/.exec(text);
  return match === null ? null : { epoch: parseInt(String(match[1]), 36), ask: parseInt(String(match[2]), 36) };
}

/** Null for any other name. */
export function parseRenewalName(text: string): (LeaseName & { readonly node: string }) | null {
  const match = /^hf-ok ([0-9a-z]{1,11}) ([0-9a-z]{1,11}) ([a-z0-9-]{1,40})$/.exec(text);
  if (match === null) return null;
  return { epoch: parseInt(String(match[1]), 36), ask: parseInt(String(match[2]), 36), node: String(match[3]) };
}
