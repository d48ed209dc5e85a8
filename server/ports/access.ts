import type { UserRole } from "./identity.ts";

/** Who asks. A token that belongs to an application has no role here: it may only report. */
export interface Principal {
  readonly kind: "user" | "token";
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  /** Null: signed in, but nobody has given a role yet. */
  readonly role: UserRole | null;
  /** Only of an application's token: what it may do. */
  readonly application?: { readonly lockPrefixes: readonly string[] };
}

/** Tells browsers apart before their socket is opened, and ends them when their rights end. */
export interface ViewerGuard {
  /** The signed-in user behind the cookies of a request; null when there is none. */
  identify(headers: Headers): Promise<Principal | null>;
  /** Called with a user's id when sessions ended or the role changed. */
  onAccessChanged(listener: (userId: string) => void): void;
}
