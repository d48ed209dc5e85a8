import type { WebSocketRoute } from "@playwright/test";
import { expect, test } from "./support/test.ts";

test.beforeEach(async ({ demo }) => {
  await demo.restore();
});

test("stale data looks stale when the socket drops, actions wait, and it catches up", async ({ demo, pageAs }) => {
  const page = await pageAs("operator");
  let refuse = false;
  const open: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/live$/, (socket) => {
    if (refuse) {
      void socket.close();
      return;
    }
    open.push(socket);
    socket.connectToServer();
  });
  await page.goto("/");
  await expect(page.getByText(/^Live · /)).toBeVisible();
  const crash = page.getByRole("button", { name: "Crash the node" });
  await expect(crash).not.toHaveAttribute("aria-disabled", "true");

  refuse = true;
  for (const socket of open.splice(0)) await socket.close();
  await expect(page.getByText(/No connection to the control plane/)).toBeVisible();
  await expect(page.getByText("Disconnected")).toBeVisible();
  await expect(crash).toHaveAttribute("aria-disabled", "true");
  await crash.hover();
  await expect(page.getByRole("tooltip")).toContainText("The picture is not current");

  await demo.cause({ fault: "blip", node: "pg-c", ms: 300 });
  await page.getByRole("button", { name: "Reconnect now" }).click();
  await expect(page.getByText("Disconnected")).toBeVisible();
  refuse = false;
  await expect(page.getByText(/caught up on \d+ missed change/)).toBeVisible();
  await expect(page.getByText(/^Live · /)).toBeVisible();
  await expect(crash).not.toHaveAttribute("aria-disabled", "true");
});
