import type { BetterAuthOptions } from "better-auth";
import type { IdentityStore } from "../ports/identity.ts";
import type { SampleStore } from "../ports/samples.ts";
import type { AgentDirectory, ReadStore, Store } from "../ports/store.ts";
import type { TraceStore } from "../ports/traces.ts";

/** What better-auth takes as `database`. */
export type AuthDatabase = NonNullable<BetterAuthOptions["database"]>;

/** Every port that the database serves, over one set of connections. `store.close()` ends all of them. */
export interface Stores {
  readonly store: Store;
  readonly reads: ReadStore;
  readonly directory: AgentDirectory;
  readonly identity: IdentityStore;
  readonly samples: SampleStore;
  readonly traces: TraceStore;
  /** For sign-in: `main` hands it to `auth`. */
  createAuthDatabase(): AuthDatabase;
}
