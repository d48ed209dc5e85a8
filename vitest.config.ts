import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "server/**/*.test.ts",
      "agents/**/*.test.ts",
      "cli/**/*.test.ts",
      "clients/**/*.test.ts",
      "demo/**/*.test.ts",
      "bench/**/*.test.ts",
      "scripts/**/*.test.ts",
      "components/**/*.test.ts",
    ],
    exclude: ["node_modules/**", "e2e/**", ".next/**", "dist/**"],
    environment: "node",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
  resolve: { alias: { "@": new URL(".", import.meta.url).pathname } },
});
