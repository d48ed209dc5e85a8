/** The wire: frames, command envelopes, views, limits. Shared with agents and the browser; imports types of the core only. */
export type * from "./agent-frames.ts";
export { clusterServiceName } from "./cluster-service.ts";
export type * from "./in-doubt-views.ts";
export type * from "./key-space-view.ts";
export { limits } from "./limits.ts";
export type * from "./lock-views.ts";
export type * from "./redis-view.ts";
export type * from "./salvage-frame.ts";
export { canonicalJson, handshakeText } from "./signing.ts";
export type * from "./telemetry-frame.ts";
export type * from "./telemetry-views.ts";
export type * from "./viewer-frames.ts";
export type * from "./views.ts";
