import { afterAll, beforeAll, describe } from "vitest";
import type { Backend } from "./contract/backend.ts";
import { describeIdentityContract } from "./contract/identity-contract.ts";
import { describeLoopContract } from "./contract/loop-contract.ts";
import { memoryBackend } from "./contract/memory-backend.ts";
import { type PostgresBackend, startPostgresBackend } from "./contract/postgres-backend.ts";
import { describeReadContract } from "./contract/read-contract.ts";

/** One suite for both: the twin must behave as the real one does. */
function describeContract(getBackend: () => Backend): void {
  describeLoopContract(getBackend);
  describeReadContract(getBackend);
  describeIdentityContract(getBackend);
}

describe("in memory", () => {
  describeContract(() => memoryBackend);
});

describe("PostgreSQL", () => {
  let backend: PostgresBackend;
  beforeAll(async () => {
    backend = await startPostgresBackend();
  });
  afterAll(() => backend.stopServer());
  describeContract(() => backend);
});
