/** Users, their roles, and API tokens. Sign-in itself (passwords, sessions) is better-auth's, on the same database. */

export type UserRole = "viewer" | "operator" | "admin";
/** `application` may only report its own writes and error traces, and hold locks. */
export type TokenRole = UserRole | "application";

export interface UserRecord {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** Null until an administrator gives one: such a user may sign in and sees nothing. */
  readonly role: UserRole | null;
  /** Wall-clock milliseconds. */
  readonly createdAt: number;
}

export interface ApiTokenDraft {
  /** SHA-256 of the token, hexadecimal; the token itself is never stored. */
  readonly hash: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly createdBy: string;
  /** Wall-clock milliseconds; null: until revoked. */
  readonly expiresAt: number | null;
  /** Names of locks that an application's token may touch begin with one of these; none: any but the control plane's own. */
  readonly lockPrefixes?: readonly string[];
}

export interface ApiTokenRecord extends Omit<ApiTokenDraft, "hash"> {
  readonly lockPrefixes: readonly string[];
  readonly id: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
  /** To the minute: it is not written on every request. */
  readonly lastUsedAt: number | null;
}

/**
 * Rejects with an error that `isStoreUnavailable` recognises when the database can't be reached; nothing was changed then,
 * or the answer was lost.
 */
export interface IdentityStore {
  userCount(): Promise<number>;
  listUsers(): Promise<readonly UserRecord[]>;
  roleOf(userId: string): Promise<UserRole | null>;
  /**
   * Gives a role, or takes it away (null). A change ends every session of the user in the same transaction. The last administrator
   * keeps the role: an installation without one could not be administered again.
   */
  setRole(userId: string, role: UserRole | null): Promise<"changed" | "unchanged" | "unknown-user" | "last-admin">;
  /** Makes the user administrator only while there is none. Of two concurrent claims one wins. */
  claimFirstAdmin(userId: string): Promise<boolean>;
  /** Ends every session of the user; answers how many there were. */
  endSessions(userId: string): Promise<number>;
  createApiToken(draft: ApiTokenDraft, now: number): Promise<ApiTokenRecord>;
  /** Null when unknown, revoked or expired. Notes the use. */
  findApiToken(hash: string, now: number): Promise<ApiTokenRecord | null>;
  /** False when there is no such token that is not already revoked. */
  revokeApiToken(id: string, now: number): Promise<boolean>;
  listApiTokens(): Promise<readonly ApiTokenRecord[]>;
}
