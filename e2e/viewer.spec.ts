import { expect, test } from "./support/test.ts";

test("a viewer sees everything and can act on nothing", async ({ demo, pageAs }) => {
  const before = await demo.restore();
  const page = await pageAs("viewer");
  await page.goto("/");
  await expect(page.getByLabel("Replication in orders")).toContainText(before.primary as string);
  const crash = page.getByRole("button", { name: "Crash the node" });
  await expect(crash).toHaveAttribute("aria-disabled", "true");
  await crash.hover();
  await expect(page.getByRole("tooltip")).toContainText("You are signed in as a viewer; this needs an operator");
  await crash.click({ force: true });

  await page.goto("/clusters/orders?action=switchover");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Type orders to confirm").fill("orders");
  await sheet.getByLabel("Reason", { exact: true }).fill("I should not be able to");
  const run = sheet.getByRole("button", { name: /^Switch over to/ });
  await expect(run).toHaveAttribute("aria-disabled", "true");
  await run.click({ force: true });

  // Past the screen: the server judges again.
  const answers = await page.evaluate(async () => {
    const { csrfToken } = (await (await fetch("/api/v1/session")).json()) as { csrfToken: string };
    const post = (path: string, body: unknown) =>
      fetch(`/api/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-csrf-token": csrfToken },
        body: JSON.stringify(body),
      }).then((response) => response.status);
    const action = { kind: "failover", target: null, planHash: "x", reason: "no", confirm: "orders" };
    return Promise.all([
      post("clusters/orders/actions", action),
      post("demo/faults", { fault: "crash" }),
      post("enrolment-tokens", {}),
      fetch("/api/v1/users").then((response) => response.status),
    ]);
  });
  expect(answers).toEqual([403, 403, 403, 403]);
  expect((await demo.cluster()).epoch).toBe(before.epoch);
});
