/* How people sign in: the form, an address and a password, devices, and the password asked for again. */
import type { Page } from "@playwright/test";

import { expect, passing, signIn, test, watch } from "./app";
import { accessible } from "./axe";
import { Hark } from "./hark";
import { looks } from "./looks";

const address = "ada@example.org";
const password = "harbour wall at seven";

test.use({ contextOptions: { reducedMotion: "reduce" } }); // nothing half faded in: axe takes its colours for the final ones

const fits = async (page: Page) => expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);

test("from the printed link to a password, and in by it on a phone without scripts", async ({ page, browser }) => {
  const hark = await Hark.start({ HARK_OWNER_NAME: "", HARK_WORKSPACE_NAME: "" });
  const wrong = watch(page);
  await page.goto(hark.signInAddress());
  await page.getByRole("button", { name: /^Sign in/ }).click();
  await page.getByRole("textbox", { name: "Your name" }).fill("Ada");
  await page.getByRole("textbox", { name: "Workspace name" }).fill("Harbour office");
  await page.keyboard.press("Enter");

  await expect(page.getByRole("heading", { name: "How will you sign in next time?" })).toBeVisible();
  await accessible(page);
  const email = page.getByRole("textbox", { name: "Email" });
  const secret = page.getByLabel("Password", { exact: true });
  await expect(email).toBeFocused();
  await expect(email).toHaveAttribute("autocomplete", "username");
  await expect(secret).toHaveAttribute("autocomplete", "new-password");
  await email.fill(address);
  await secret.fill("short");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("10 characters");
  await secret.fill("qwertyuiop");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("easy to guess");
  await page.getByRole("checkbox", { name: "Show password" }).check();
  await secret.fill(password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Say hello" })).toBeVisible();

  const phone = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 }, locale: "de-DE", colorScheme: "dark" });
  const form = await phone.newPage();
  await form.goto(`${hark.url}/sign-in?to=/settings`);
  await expect(form.getByRole("heading", { name: "Anmelden bei Harbour office" })).toBeVisible();
  await expect(form.getByText("kann keine Mails senden")).toBeVisible();
  await expect(form.getByLabel("E-Mail")).toBeFocused();
  await expect(form.getByLabel("E-Mail")).toHaveAttribute("autocomplete", "username webauthn");
  await expect(form.getByLabel("Passwort")).toHaveAttribute("autocomplete", "current-password");
  await form.getByLabel("E-Mail").fill(address);
  await form.getByLabel("Passwort").fill("harbour wall at eight");
  await form.keyboard.press("Enter");
  await expect(form.getByRole("alert")).toHaveText("E-Mail oder Passwort ist falsch.");
  await expect(form.getByLabel("E-Mail")).toHaveValue(address);
  await expect(form.getByLabel("Passwort")).toHaveValue("");
  await form.getByLabel("Passwort").fill(password);
  await form.getByRole("button", { name: "Anmelden", exact: true }).click();
  await expect(form).toHaveURL(`${hark.url}/settings`);
  await phone.close();
  expect(wrong).toEqual([]);
  await hark.stop();
});

test("the sign-in page in both languages, light and dark, on a phone and wide", async ({ browser }, info) => {
  const hark = await Hark.start({ HARK_SMTP_URL: "smtp://127.0.0.1:1", HARK_SMTP_TLS: "off", HARK_MAIL_FROM: "hark@example.org" });
  for (const [locale, button] of [["en-GB", "Email me a sign-in link"], ["de-DE", "Link per E-Mail schicken"]] as const) {
    for (const { colorScheme, viewport } of looks) {
      const context = await browser.newContext({ locale, colorScheme, viewport });
      const page = await context.newPage();
      const look = async (name: string) => {
        await accessible(page);
        await fits(page);
        await page.screenshot({ path: info.outputPath(`${name}-${locale}-${colorScheme}-${viewport.width}.png`) });
      };
      await page.goto(`${hark.url}/sign-in`);
      await look("form");
      await page.getByRole("button", { name: button }).click();
      await expect(page.getByRole("alert")).toBeVisible(); // no address yet
      await look("refused");
      const own = `${locale}-${colorScheme}-${viewport.width}@example.org`; // so many links are mailed to one address
      await page.locator("#email").fill(own);
      await page.getByRole("button", { name: button }).click();
      await expect(page.locator("strong")).toHaveText(own);
      await look("sent");
      await page.getByRole("link").click();
      await expect(page.locator("#email")).toBeVisible();
      await context.close();
    }
  }
  await hark.stop();
});

test("signed out, one is led to the form and back; another's session is not replaced silently", async ({ page, context, hark }) => {
  hark.command("user", "add", "Mia");
  hark.command("user", "set-email", "Mia", "mia@example.org");
  const wrong = watch(page);
  await signIn(page, hark.command("user", "sign-in", "Mia"));
  await page.goto(`${hark.url}/settings`);
  const section = page.locator("section", { has: page.getByRole("heading", { name: "Signing in" }) }).last(); // beside the pane that it is in
  await expect(section).toContainText("mia@example.org");
  await section.getByRole("button", { name: "Change email or password" }).click();
  await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill(password);
  await accessible(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(section).toContainText("Email and password");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await page.goto(`${hark.url}/settings`);
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Email").fill("MIA@example.org");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(`${hark.url}/settings`);

  await page.goto(`${hark.url}/sign-in`);
  await expect(page.getByRole("alert")).toContainText("Mia");
  expect(wrong).toEqual([]);

  // Who closes the tab at once has signed out.
  await page.goto(`${hark.url}/settings`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.close();
  await expect.poll(async () => (await context.request.get(`${hark.url}/v1/me`)).status()).toBe(401);
});

test("devices are named and ended, and what is dangerous asks for the password again", async ({ page, browser, hark }) => {
  hark.command("user", "add", "Eve");
  const wrong = watch(page);
  await signIn(page, hark.command("user", "sign-in", "Eve"));
  const other = await browser.newContext({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1" });
  const phone = await other.newPage();
  await signIn(phone, hark.command("user", "sign-in", "Eve"));
  await page.goto(`${hark.url}/settings`);
  await expect(page.getByText("Safari on iPhone")).toBeVisible();
  await expect(page.getByText(/by link · .*from 127\.0\.0\.1/).first()).toBeVisible();
  await page.getByRole("button", { name: "Set up email and password" }).click();
  await page.getByRole("textbox", { name: "Email" }).fill("eve@example.org");
  await page.getByLabel("Password", { exact: true }).fill(password);
  const saved = passing(page, /Saved\./);
  await page.getByRole("button", { name: "Save" }).click();
  await saved;

  // As if it were later: the server says so once.
  let late = true;
  await page.route("**/v1/tokens", async (route) => {
    if (route.request().method() !== "DELETE" || !late) return route.continue();
    late = false;
    await route.fulfill({ status: 403, contentType: "application/problem+json", json: { type: "/docs#problem-step-up", title: "x", status: 403, code: "step_up", detail: "x" } });
  });
  await page.getByRole("button", { name: "Revoke all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke all others" }).click();
  const asked = page.getByRole("dialog", { name: "Enter your password" });
  const again = asked.getByLabel("Password");
  await expect(again).toBeFocused();
  await expect(again).toHaveAttribute("autocomplete", "current-password");
  await accessible(page);
  await again.fill("harbour wall at eight");
  await page.keyboard.press("Enter");
  await expect(asked.getByRole("alert")).toHaveText("This is not your password.");
  await again.fill(password);
  const revoked = passing(page, /All others are revoked\./);
  await page.keyboard.press("Enter");
  await revoked;
  await expect(page.getByText("Safari on iPhone")).toBeHidden();
  await expect(phone.getByRole("heading", { name: "Say it once." })).toBeVisible({ timeout: 30_000 });
  await other.close();
  expect(wrong).toEqual([]);
});

test("settings in German, dark, on a phone", async ({ page, hark }, info) => {
  hark.command("user", "add", "Liz");
  hark.command("user", "set-email", "Liz", "liz@example.org");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, hark.command("user", "sign-in", "Liz"));
  await page.goto(`${hark.url}/settings`);
  await page.getByLabel("Language").selectOption("de");
  const heading = page.getByRole("heading", { name: "Anmeldung" });
  await heading.scrollIntoViewIfNeeded();
  await accessible(page);
  await fits(page);
  await page.screenshot({ path: info.outputPath("settings-de.png") });
  await page.getByRole("button", { name: "E-Mail oder Passwort ändern" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: info.outputPath("form-de.png") });
});
