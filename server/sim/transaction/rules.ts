import {
  advance,
  answerInquiry,
  freshParticipant,
  isExpired,
  judgeMessage,
  openTermination,
  openTransaction,
} from "../../core/transaction/index.ts";

/** The rules under test; a mutant puts others in their place. */
export const soundRules = {
  advance,
  answerInquiry,
  freshParticipant,
  isExpired,
  judgeMessage,
  openTermination,
  openTransaction,
  /** The coordinator's record is durable before a message leaves. */
  persistsFirst: true,
  /** A participant's record is durable before it answers. */
  participantPersistsFirst: true,
};

export type Rules = typeof soundRules;
