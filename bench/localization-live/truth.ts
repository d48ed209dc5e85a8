import type { ShopFaultName } from "../../demo/fault-names.ts";
import { shopDatabase } from "../../demo/shop/config.ts";

/** What an incident's page has to name: the service and the kind of fault. */
export const truth: Readonly<Record<ShopFaultName, { readonly service: string; readonly cause: string }>> = {
  slow: { service: "cache", cause: "answers-late" },
  exception: { service: "payments", cause: "throws-errors" },
  cpu: { service: "orders", cause: "cpu-starved" },
  leak: { service: "payments", cause: "memory-growing" },
  disk: { service: "orders", cause: "volume-full" },
  pool: { service: "payments", cause: "pool-exhausted" },
  release: { service: "orders", cause: "release-broken" },
  index: { service: shopDatabase, cause: "query-slow" },
};
