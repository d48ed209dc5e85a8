import { PrismaPg } from "@prisma/adapter-pg";
import type { Pool } from "pg";
import { PrismaClient } from "../generated/client.ts";
import { StoreUnavailableError } from "../shared/store-error.ts";
import { describeFailure } from "./failure.ts";

export type Database = PrismaClient;

/** The client borrows our connections; it closes nothing. */
export function createDatabase(pool: Pool): Database {
  const adapter = new PrismaPg(pool, { onPoolError: () => {}, onConnectionError: () => {} });
  return new PrismaClient({ adapter, errorFormat: "minimal" });
}

/** Prisma's codes for a server that can't be reached, does not answer, closed the connection, or has none left. */
const unavailableCodes = new Set(["P1001", "P1002", "P1003", "P1008", "P1011", "P1017", "P2024", "P2037"]);
const unavailableTexts =
  /ECONNREFUSED|ECONNRESET|EPIPE|Connection terminated|timeout|shutting down|terminating connection/i;

/** Runs a read or change through Prisma; rejects as the ports promise. */
export async function runPrisma<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const text = describeFailure(error);
    if (unavailableCodes.has(code) || unavailableTexts.test(text)) throw new StoreUnavailableError(text, error);
    throw error;
  }
}
