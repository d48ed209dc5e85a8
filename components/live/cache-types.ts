export type { TimelineEntry as TimelineEntryView } from "../../server/core/index.ts";
export type { ActionView, FeedFrame, IncidentDetail, IncidentView } from "../../server/protocol/index.ts";
