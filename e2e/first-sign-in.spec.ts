import { expect, test } from "./support/test.ts";

test("the first sign-in: the printed link opens the overview, once; everybody else signs in by password", async ({
  demo,
  browser,
}) => {
  const { url } = await demo.api.post<{ url: string }>("sign-in-links", {});
  const context = await browser.newContext({ baseURL: demo.url });
  const page = await context.newPage();
  await page.goto("/");
  await expect(page).toHaveURL(/\/sign-in/);

  await page.goto("about:blank");
  await page.goto(url);
  await expect(page.getByLabel("Replication in orders")).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
  expect(page.url()).not.toContain(url.split("once=")[1] as string);
  await page.reload();
  await expect(page.getByLabel("Replication in orders")).toBeVisible();
  await context.close();

  const second = await browser.newContext({ baseURL: demo.url });
  const late = await second.newPage();
  await late.goto(url);
  await expect(late.getByText("This link was used or has run out", { exact: false })).toBeVisible();
  await expect(late.getByLabel("Replication in orders")).toBeHidden();

  const password = "a long enough password";
  await demo.api.post("users", { name: "First", email: "first@journeys.test", password, role: "viewer" });
  await late.goto("/sign-in");
  await late.getByLabel("Email").fill("first@journeys.test");
  await late.getByLabel("Password").fill("the wrong password");
  await late.getByRole("button", { name: "Sign in" }).click();
  await expect(late.getByRole("alert").filter({ hasText: /\S/ })).toBeVisible();
  await late.getByLabel("Password").fill(password);
  await late.getByRole("button", { name: "Sign in" }).click();
  await expect(late.getByLabel("Replication in orders")).toBeVisible();
  await second.close();
});
