import { expect, it } from "vitest";
import type { Incident, Verdict } from "../../core/index.ts";
import { namesSource } from "./traces.ts";

it("finds the errors of an incident by its nodes and by its services", () => {
  const about = (kind: "node" | "service" | "cluster", id: string) => ({ subject: { kind, id } }) as Verdict;
  const incident = {
    cause: about("service", "gateway"),
    symptoms: [about("node", "pg-a")],
    suspects: [],
  } as unknown as Incident;
  expect(namesSource(incident, { service: "gateway", nodes: ["app-1"] })).toBe(true);
  expect(namesSource(incident, { service: "postgresql", nodes: ["pg-a", "pg-b"] })).toBe(true);
  expect(namesSource(incident, { service: "orders", nodes: ["app-1"] })).toBe(false);
  // A node of a service's name is not the service.
  expect(namesSource(incident, { service: "pg-a", nodes: ["gateway"] })).toBe(false);
});
