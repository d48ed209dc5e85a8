import { defineConfig } from "prisma/config";

/** For Prisma's command line only. The server applies migrations itself, see prisma/migrate.ts. */
export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  datasource: { url: process.env.DATABASE_URL ?? "" },
});
