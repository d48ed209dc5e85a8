/** Takes the lock and answers `null`, or answers with the pid of the living process that holds it. */
export function takeLock(path: string): number | null;
/** Gives the lock back if this process still holds it. */
export function releaseLock(path: string): void;
