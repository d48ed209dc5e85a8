/**
 * The instant a batch of events is judged at. Time comes into the core as data: the loop stamps each batch once.
 */
export interface Now {
  /** Monotonic milliseconds of the control plane's process. Durations and deadlines use this clock only. */
  readonly monoMs: number;
  /** Wall clock, milliseconds since the Unix epoch (UTC). For records that people read; never for liveness. */
  readonly wallMs: number;
  /** Random text, new for each batch, from which the core makes ids that no other process can make. */
  readonly entropy: string;
}
