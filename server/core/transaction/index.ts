/** Coordinators and participants of changes that span nodes. Pure. */

export { openTermination } from "./atomic.ts";
export { findBranch, isEnded, openTransaction, pauseMs } from "./branches.ts";
export { advance, answerInquiry, nextMessage } from "./coordinator.ts";
export type { IncomingMessage, ParticipantRecord, Work } from "./participant.ts";
export { answerOf, freshParticipant, isExpired, isInDoubt, judgeMessage } from "./participant.ts";
export { chooseAttempt } from "./termination.ts";
export type * from "./types.ts";
