/* Where one lands: after signing in, at an address that is none, after signing out. */
import type { Page } from "@playwright/test";

import { signIn } from "./app";
import { expect, list, test } from "./shell";
import { tone } from "./wav";

const welcome = (page: Page) => page.getByRole("heading", { name: "Say it once." });

test("a link that is opened while signed out asks to sign in, names nothing, and is where one lands", async ({ fronted: { hark }, context, page }) => {
  const conversation = await hark.conversation("Secret plans");
  const { id } = await hark.send(conversation, tone(2), { title: "Top secret" });
  const moment = `${hark.url}/m/${id}?t=1200`;
  const door = async (at: Page) => {
    await at.goto(moment);
    await expect(at.getByText("Sign in to open this link.")).toBeVisible();
    expect(await at.locator("html").innerText()).not.toMatch(/secret/i);
    expect(await at.title()).toBe("Hark");
  };
  const lands = async (at: Page) => {
    await expect(at).toHaveURL(moment);
    await expect(at.getByRole("heading", { name: "Top secret" })).toBeVisible({ timeout: 20_000 });
  };
  const press = async (at: Page, address: string) => {
    await at.goto(address);
    expect(await at.locator("html").innerHTML()).not.toMatch(/secret/i);
    await at.getByRole("main").getByRole("button").click();
  };

  await test.step("in the same tab", async () => {
    await door(page);
    await press(page, hark.signInAddress());
    await lands(page);
  });
  await test.step("in another tab, and the first one opens by itself", async () => {
    await context.clearCookies();
    await page.evaluate(() => localStorage.clear());
    await door(page);
    const other = await context.newPage();
    await press(other, hark.signInAddress());
    await lands(other);
    await lands(page);
    // It is told once: the next visit begins at the beginning.
    await other.goto(hark.url);
    await expect(list(other)).toBeVisible();
    expect(other.url()).not.toContain(id);
    await other.close();
  });
  await test.step("by a sign-in address that was made for it", async () => {
    await context.clearCookies();
    await press(page, hark.command("user", "sign-in", "--to", moment));
    await lands(page);
  });
  await test.step("signed out elsewhere in the middle of it", async () => {
    await list(page).getByRole("link", { name: /^Secret plans/ }).click();
    await expect(page).toHaveURL(`${hark.url}/c/${conversation}`);
    await context.clearCookies();
    await page.reload();
    await expect(welcome(page)).toBeVisible();
    await press(page, hark.signInAddress());
    await expect(page).toHaveURL(`${hark.url}/c/${conversation}`);
  });
  await test.step("but nobody else lands there", async () => {
    await context.clearCookies();
    await hark.send(conversation, tone(), { title: "Secret too" }); // which the page reads, and so sees the door
    await expect(welcome(page)).toBeVisible();
    await page.reload();
    await expect(welcome(page)).toBeVisible();
    await press(page, hark.signInAddress("Berta"));
    await expect(list(page)).toBeVisible();
    expect(page.url()).not.toContain(conversation);
    await context.clearCookies();
  });
  await test.step("after signing out one begins at the beginning, and the way back shows nothing", async () => {
    await signIn(page, hark.signInAddress());
    await page.goto(moment);
    await expect(page.getByRole("heading", { name: "Top secret" })).toBeVisible();
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(welcome(page)).toBeVisible();
    await expect(page).toHaveURL(`${hark.url}/`);
    for (let step = 0; step < 2; step++) {
      await page.goBack();
      await expect(welcome(page)).toBeVisible();
      expect(await page.locator("html").innerText()).not.toMatch(/secret/i);
    }
    await signIn(page, hark.signInAddress());
    expect(page.url()).not.toContain(id);
  });
});

test("a sign-in link that was used leads on to where it was to lead", async ({ fronted: { hark }, context, page }) => {
  const conversation = await hark.conversation("Twice");
  const address = hark.command("user", "sign-in", "--to", `${hark.url}/c/${conversation}`);
  await page.goto(address);
  await page.getByRole("main").getByRole("button").click();
  await expect(page).toHaveURL(`${hark.url}/c/${conversation}`);
  const again = await context.newPage();
  await again.goto(address);
  await again.getByRole("main").getByRole("link", { name: "Open Hark" }).click();
  await expect(again).toHaveURL(`${hark.url}/c/${conversation}`);
  await expect(again.getByRole("heading", { name: "Twice" })).toBeVisible();
});

test("a mistyped address gives a page with one way on, signed in or not", async ({ app, browser, fronted: { hark } }) => {
  const nobody = await browser.newContext();
  const out = await nobody.newPage();
  for (const page of [app, out]) {
    for (const path of ["/setings", "/c/not-an-id", "/m", "/settings/more/of/it"]) {
      const answer = await page.goto(hark.url + path);
      expect(answer!.status(), path).toBe(404);
      await expect(page.getByRole("main").getByRole("heading", { name: "Page not found" })).toBeVisible();
      await expect(page.getByRole("main").getByRole("link")).toHaveCount(1);
    }
    await page.getByRole("main").getByRole("link").click();
    await expect(page).not.toHaveURL(/settings/);
  }
  await expect(list(app)).toBeVisible();
  await expect(welcome(out)).toBeVisible();
  await nobody.close();
});
