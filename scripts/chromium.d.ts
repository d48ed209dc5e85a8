/** Flags that a Chromium needs to be quiet, and to run as root. */
export const chromiumArgs: string[];
/** The path of an installed Chromium, or null. */
export function findChromium(): string | null;
/** Finds Chromium, or installs it. Throws with a sentence. */
export function ensureChromium(say?: (line: string) => void): string;
