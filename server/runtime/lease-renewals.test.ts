import { expect, it } from "vitest";
import type { AgentLink } from "../ports/agent-link.ts";
import type { Store } from "../ports/store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { LeaseRenewals } from "./lease-renewals.ts";

const asked = (ask: number) => ({ node: "pg-a", cluster: "orders", epoch: 1, ask });

function setUp(leads: () => Promise<boolean>) {
  const clock = new FakeClock();
  const renewed: number[] = [];
  const store = { leads } as unknown as Store;
  const link = { renewLease: ({ ask }: { readonly ask: number }) => renewed.push(ask) } as unknown as AgentLink;
  return { clock, renewed, leases: new LeaseRenewals({ clock, store, link }) };
}

it("renews what was asked before the database confirmed the lead, the newest of each primary", async () => {
  let answer: (leads: boolean) => void = () => undefined;
  const { clock, renewed, leases } = setUp(() => new Promise((resolve) => (answer = resolve)));
  leases.take([asked(1)], 5, false);
  leases.take([asked(2)], 5, false);
  await clock.advance(1);
  leases.take([asked(3)], 5, false);
  answer(true);
  await clock.advance(1);
  expect(renewed).toEqual([2]);
});

it("renews nothing when another one leads, or nobody can say", async () => {
  const answers = [async () => false, () => Promise.reject(new Error("away"))];
  for (const leads of answers) {
    const { clock, renewed, leases } = setUp(leads);
    leases.take([asked(1)], 5, false);
    await clock.advance(2_000);
    expect(renewed).toEqual([]);
  }
});

it("asks the database rarely, and not at all for what was just committed under the lead", async () => {
  let questions = 0;
  const { clock, renewed, leases } = setUp(async () => {
    questions += 1;
    return true;
  });
  leases.take([asked(1)], 5, true);
  expect([renewed, questions]).toEqual([[1], 0]);
  for (let beat = 0; beat < 16; beat++) {
    leases.take([asked(10 + beat)], 5, false);
    await clock.advance(250);
  }
  expect(questions).toBeLessThanOrEqual(6);
  expect(renewed.at(-1)).toBeGreaterThanOrEqual(22);
});
