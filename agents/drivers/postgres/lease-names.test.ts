import { expect, it } from "vitest";
import { askName, parseAskName, parseRenewalName, renewalName } from "./lease-names.ts";

it("carries a request and its renewal in names that PostgreSQL keeps whole", () => {
  const lease = { epoch: 1_000_000, ask: Number.MAX_SAFE_INTEGER };
  const node = "n".repeat(40);
  expect(parseAskName(askName(lease))).toEqual(lease);
  expect(parseRenewalName(renewalName({ epoch: 12, ask: 31_536_000_000 }, node))).toEqual({
    epoch: 12,
    ask: 31_536_000_000,
    node,
  });
  expect(renewalName({ epoch: 9_999, ask: 31_536_000_000 }, node).length).toBeLessThanOrEqual(63);
  expect(parseRenewalName("psql")).toBeNull();
});
