/**
 * Milliseconds of the machine's monotonic clock. Unlike `performance.now()` its origin is shared by all processes of one machine,
 * so moments noted by different processes can be subtracted.
 */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
