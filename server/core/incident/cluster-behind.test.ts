import { expect, it } from "vitest";
import { createDraft } from "../draft.ts";
import { defaultPolicy } from "../policy/types.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import { createServiceLive } from "../service/judge-indicators.ts";
import { createState } from "../state.ts";
import { clusterBehind } from "./cluster-behind.ts";

/** Clusters `orders` and `users`; services by what they reach and the clusters that their nodes work with. */
function behind(name: string, ...services: readonly (readonly [string, string[], string[]])[]): string | null {
  const state = createState(defaultPolicy);
  for (const [id, host] of [
    ["orders", "10.0.0.1"],
    ["users", "10.0.0.2"],
  ] as const) {
    const members = {
      [`${id}-1`]: { id: `${id}-1`, host, port: 5432 },
      [`${id}-2`]: { id: `${id}-2`, host: "h", port: 1 },
    };
    state.durable.clusters.set(id, { id, primary: `${id}-1`, members } as unknown as ClusterRecord);
  }
  const figures = { isEntry: true, requests: 1, errorShare: 0, latencyP95Ms: 1, memoryBytes: null, nodes: [] };
  for (const [service, reaches, clusters] of services)
    state.live.services.set(service, createServiceLive({ ...figures, name: service, reaches, clusters }));
  return clusterBehind(createDraft(state, { monoMs: 0, wallMs: 0, entropy: "" }), name)?.id ?? null;
}

it("knows a cluster by its name, its primary and its primary's address, and not by a standby", () => {
  for (const name of ["orders", "orders-1", "10.0.0.1:5432", "postgresql@10.0.0.1:5432"])
    expect(behind(name)).toBe("orders");
  for (const name of ["orders-2", "postgresql@h:1", "postgresql/orders"]) expect(behind(name)).toBeNull();
});

it("knows a database by the one cluster that all who reach it work with", () => {
  const name = "postgresql/shop";
  expect(behind(name, ["cart", [name], ["orders"]], ["shop", ["cart", name], ["orders", "users"]])).toBe("orders");
  expect(behind(name, ["shop", [name], ["orders", "users"]])).toBeNull();
  expect(behind(name, ["cart", [name], ["orders"]], ["login", [name], ["users"]])).toBeNull();
  expect(behind(name, ["cart", [name], ["elsewhere"]])).toBeNull();
});

it("takes no application for the database that it works with", () => {
  expect(behind("cart", ["shop", ["cart", "postgresql/shop"], ["orders"]])).toBeNull();
});
