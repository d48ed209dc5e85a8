export type RingNode = {
  readonly id: string;
  /** Share of the keys relative to a node of weight 1; 0: owns nothing. */
  readonly weight: number;
  readonly zone: string | null;
};

export type RingSpec = {
  readonly nodes: readonly RingNode[];
  /** Virtual nodes of a node of weight 1. */
  readonly vnodes: number;
  /** Other seeds give other, independent rings of the same nodes. */
  readonly seed: number;
  /** No node owns more than (1 + loadBound) times its fair share; null: as the points fall. */
  readonly loadBound: number | null;
};

/** A ring made ready for look-ups. Plain arrays, nothing of it changes after it was built. */
export type Ring = {
  /** Nodes by id; `points` and `owners` hold indices into it. */
  readonly nodes: readonly RingNode[];
  readonly seed: number;
  /** Positions of the points, ascending. A key belongs to the first point at or after its own position. */
  readonly positions: Uint32Array;
  /** Whose point it is. */
  readonly points: Uint16Array;
  /** Who owns the arc that ends at the point: the point's node, or, under a load bound, the next one with room. */
  readonly owners: Uint16Array;
  /** First point at or after the start of each of 2^(32 - bucketShift) equal parts of the circle. */
  readonly buckets: Uint32Array;
  readonly bucketShift: number;
};

/** Length of the circle. */
export const CIRCLE = 2 ** 32;
