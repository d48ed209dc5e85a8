import type { TimelineEntry } from "../core/index.ts";
import type { EntityView } from "./views.ts";

/**
 * Frames between a browser and the control plane: JSON text on `/live`, session cookie checked before the upgrade.
 * The browser says where it stands (`resume`); the server answers with what was missed (`changes`) or with everything (`snapshot`).
 * Every frame after that carries the next `seq`: a gap means reconnect.
 */
export type ViewerFrame =
  | { readonly t: "resume"; readonly cursor: { readonly feedId: string; readonly seq: number } | null }
  /** More than the fleet's rows: details of what is on screen. At most 8. `node:pg-a`, `incident:INC-1`. */
  | { readonly t: "watch"; readonly topics: readonly string[] }
  | { readonly t: "ping"; readonly id: number };

export type FeedFrame =
  | { readonly t: "snapshot"; readonly feedId: string; readonly seq: number; readonly entities: readonly EntityView[] }
  | {
      readonly t: "changes";
      readonly feedId: string;
      readonly seq: number;
      /** How many changes were missed while away; 0 in steady state. */
      readonly missed: number;
      readonly put: readonly EntityView[];
      readonly removed: readonly { readonly entity: string; readonly id: string }[];
      /** New timeline entries of incidents. */
      readonly timeline: readonly TimelineEntry[];
      /** When the newest event behind these changes reached the control plane: event-to-pixel latency is measured from here. */
      readonly originWallMs: number;
    }
  /** Whole detail of a watched topic (NodeDetail). */
  | { readonly t: "detail"; readonly topic: string; readonly value: unknown }
  | { readonly t: "pong"; readonly id: number; readonly wallMs: number }
  /** The session ended or the role changed: sign in again. */
  | { readonly t: "ended"; readonly reason: string };
