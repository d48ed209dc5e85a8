import { Client } from "pg";
import { databaseOfApplication } from "../demo/agent-config.ts";
import type { InDoubtView } from "../server/protocol/index.ts";
import { expect, test } from "./support/test.ts";

test.beforeEach(async ({ demo }) => {
  await demo.restore();
});

test("a prepared transaction whose coordinator died is seen within seconds with whom it blocks, and ended by a guided choice", async ({
  demo,
  pageAs,
}) => {
  const { primary } = await demo.cluster();
  const node = await demo.api.get<{ postgres: { host: string; port: number } | null }>(`nodes/${primary}`);
  const connect = async () => {
    const { host, port } = node.postgres ?? { host: "", port: 0 };
    const client = new Client({ host, port, ...databaseOfApplication });
    await client.connect();
    return client;
  };
  const gid = "shop-order-4711";
  const coordinator = await connect();
  await coordinator.query("CREATE TABLE IF NOT EXISTS stock (item int PRIMARY KEY, n int NOT NULL)");
  await coordinator.query("INSERT INTO stock VALUES (1, 10) ON CONFLICT (item) DO UPDATE SET n = 10");
  await coordinator.query("BEGIN");
  await coordinator.query("UPDATE stock SET n = 9 WHERE item = 1");
  await coordinator.query(`PREPARE TRANSACTION '${gid}'`);
  await coordinator.end();
  const diedAt = Date.now();
  await expect
    .poll(async () => (await demo.api.get<{ items: readonly InDoubtView[] }>("in-doubt")).items.map((item) => item.gid))
    .toContain(gid);
  console.log(`in doubt seen ${Date.now() - diedAt} ms after its coordinator had gone`);

  const blocked = await connect();
  const waiting = blocked.query("UPDATE stock SET n = n - 1 WHERE item = 1");
  const page = await pageAs("operator");
  await page.goto("/changes");
  const row = page.getByRole("listitem").filter({ hasText: gid });
  await expect(row).toContainText("holds locks on stock");
  await expect(row).toContainText("1 session waits for it");

  await row.getByRole("button", { name: `End ${gid}` }).click();
  const dialog = page.getByRole("dialog");
  const confirm = dialog.getByRole("button", { name: "Commit", exact: true });
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel("It was committed").check();
  await dialog.getByLabel("How do you know?").fill("the warehouse has committed its part");
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel(`Type ${gid} to confirm`).fill(gid);
  await confirm.click();
  await expect(dialog).toBeHidden({ timeout: 20_000 });
  await expect(row).toBeHidden();

  await waiting;
  expect((await blocked.query("SELECT n FROM stock WHERE item = 1")).rows).toEqual([{ n: 8 }]);
  await blocked.query("DROP TABLE stock");
  await blocked.end();
  await page.goto("/audit?subject=cluster:orders");
  await expect(page.getByRole("row").filter({ hasText: "In-doubt transaction committed" }).first()).toContainText(
    "warehouse",
  );
});
