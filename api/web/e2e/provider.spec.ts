/* Signing in by an OpenID provider, as somebody does it in a browser. */
import type { Page } from "@playwright/test";

import { watch } from "./app";
import { accessible } from "./axe";
import { expect, Hark, test } from "./hark";
import { startOpenID } from "./openid";

const fits = async (page: Page) => expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);

/** Signs in on the provider's own page. */
async function signInThere(page: Page, username: string, password = "open sesame") {
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Login" }).click();
}

test("one signs in by a provider, links and unlinks it, signs out there too, and is told when it is away", async ({ page, browser }, info) => {
  const openid = await startOpenID();
  const hark = await Hark.start({ HARK_OIDC: JSON.stringify([openid.settings]) });
  const wrong = watch(page);
  await page.goto(`${hark.url}/sign-in?to=/settings`);
  await page.getByRole("button", { name: "Sign in with Office" }).click();
  await signInThere(page, "ada");
  await expect(page).toHaveURL(`${hark.url}/settings`);
  await expect(page.getByText("Ada Lovelace").first()).toBeVisible();
  const section = page.locator("section", { has: page.getByRole("heading", { name: "Signing in" }) }).last();
  await expect(section).toContainText("ada@example.org · Used");

  await section.getByRole("button", { name: "Unlink: Office" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  await expect(page.getByText("Office is your only way to sign in.")).toBeVisible();
  await section.getByRole("button", { name: "Change email or password" }).click();
  await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill("harbour wall at seven");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(section).toContainText("Email and password");
  await section.getByRole("button", { name: "Unlink: Office" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  await expect(page.getByText("Office is unlinked.")).toBeVisible();
  await section.getByRole("button", { name: "Link Office" }).click();
  await signInThere(page, "mia"); // by any account there, whatever its address
  await expect(page).toHaveURL(`${hark.url}/settings`);
  await expect(section).toContainText("mia@example.org");

  // As if it were later: the server says so once. Who they are is proved there.
  let late = true;
  await page.route("**/v1/account/identities/*", async (route) => {
    if (!late) return route.continue();
    late = false;
    await route.fulfill({ status: 403, contentType: "application/problem+json", json: { type: "/docs#problem-step-up", title: "x", status: 403, code: "step_up", detail: "x" } });
  });
  await section.getByRole("button", { name: "Unlink: Office" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  const asked = page.getByRole("dialog", { name: "Enter your password" });
  await expect(asked.getByLabel("Password")).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: info.outputPath("prove.png") });
  await asked.getByRole("button", { name: "Confirm with Office" }).click();
  await signInThere(page, "mia");
  await expect(page).toHaveURL(`${hark.url}/settings`);

  for (const [language, heading, colorScheme, width] of [["en", "Signing in", "light", 1280], ["de", "Anmeldung", "dark", 390]] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 844 });
    await page.getByLabel(/Language|Sprache/).selectOption(language);
    await expect(page.getByRole("heading", { name: heading })).toBeVisible();
    await page.getByRole("button", { name: /: Office$/ }).scrollIntoViewIfNeeded();
    await accessible(page);
    await fits(page);
    await page.screenshot({ path: info.outputPath(`settings-${language}.png`) });
  }
  await page.getByRole("button", { name: "Abmelden", exact: true }).click();
  await expect(page).toHaveURL(`${hark.url}/sign-in`); // by way of the provider, whose session ended too
  expect(wrong).toEqual([]);

  await openid.stop();
  const { link } = await hark.json<{ link: string }>("/v1/invitations", { method: "POST", body: JSON.stringify({ role: "member" }) });
  for (const [locale, join, away, colorScheme, width] of [
    ["en-GB", "Join with Office", "Office can’t be reached right now.", "light", 1280],
    ["de-DE", "Mit Office beitreten", "Office ist gerade nicht erreichbar.", "dark", 390],
  ] as const) {
    const context = await browser.newContext({ javaScriptEnabled: false, locale, colorScheme, viewport: { width, height: 844 } });
    const form = await context.newPage();
    await form.goto(link);
    await fits(form);
    await form.screenshot({ path: info.outputPath(`join-${locale}.png`) });
    await form.getByRole("button", { name: join }).click();
    await expect(form.getByRole("alert")).toContainText(away);
    await fits(form);
    await form.screenshot({ path: info.outputPath(`away-${locale}.png`) });
    await context.close();
  }
  await hark.stop();
});
