import { afterAll, beforeAll, describe } from "vitest";
import type { Backend } from "./testing/backend.ts";
import { describeIdentityContract } from "./testing/identity-contract.ts";
import { describeLoopContract } from "./testing/loop-contract.ts";
import { memoryBackend } from "./testing/memory-backend.ts";
import { type PostgresBackend, startPostgresBackend } from "./testing/postgres-backend.ts";
import { describeReadContract } from "./testing/read-contract.ts";
import { describeTraceContract } from "./testing/trace-contract.ts";

/** One suite for both: the twin must behave as the real one does. */
function describeContract(getBackend: () => Backend): void {
  describeLoopContract(getBackend);
  describeReadContract(getBackend);
  describeIdentityContract(getBackend);
  describeTraceContract(getBackend);
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
