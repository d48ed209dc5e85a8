import { expect, it } from "vitest";
import type { ActionView } from "../server/protocol/index.ts";
import { findQuestion } from "./actions.ts";

const step = (kind: string, data: object = {}) => ({ kind, node: "pg-a", data }) as ActionView["steps"][number];
const asked = (steps: ActionView["steps"], acceptedLossBytes?: number | null) =>
  findQuestion({ steps, acceptedLossBytes })?.kind ?? null;

it("tells what an open failover asks, and not what was answered meanwhile", () => {
  expect(asked([step("seal")])).toBeNull();
  expect(asked([step("ask-operator")])).toBe("ask-operator");
  expect(asked([step("ask-operator"), step("confirmed-down")])).toBeNull();
  const refused = step("loss-refused", { bytes: 5_000 });
  expect(asked([refused])).toBe("loss-refused");
  expect(asked([refused], 4_000)).toBe("loss-refused");
  expect(asked([refused], 5_000)).toBeNull();
  const unknown = step("loss-refused", { limitBytes: 5_000 });
  expect(asked([unknown], 5_000)).toBe("loss-refused");
  expect(asked([unknown], null)).toBeNull();
});
