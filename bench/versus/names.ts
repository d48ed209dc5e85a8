/** Products that Holdfast is compared with. */
export const peerNames = ["patroni", "repmgr"] as const;
export type PeerName = (typeof peerNames)[number];
