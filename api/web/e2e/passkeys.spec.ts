/*
 * Passkeys with Chromium's virtual authenticator, behind a proxy that puts Hark
 * below a path: the first run, signing in by the button and by what the browser
 * offers, being asked again, recovery codes, and what the page says where there can
 * be no passkeys.
 */
import { type Browser, type BrowserContextOptions, type CDPSession, expect, type Page, test as base } from "@playwright/test";

import { watch } from "./app";
import { fits } from "./axe";
import { Front } from "./front";
import { Hark } from "./hark";
import { looks } from "./looks";
import { record, recorder, spoken } from "./speaking";

/** A Hark below a path of localhost, where nobody has a name yet. */
const test = base.extend<{ hark: Hark }>({
  hark: async ({}, use) => {
    const front = await Front.start("/hark");
    const hark = await Hark.start({ HARK_OWNER_NAME: "", HARK_WORKSPACE_NAME: "", HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9", HARK_PUBLIC_URL: `http://localhost:${front.port}/hark` });
    front.target = hark.listening;
    await use(hark);
    await hark.stop();
    front.stop();
  },
});

/** Somebody with a browser of their own, and a device that keeps passkeys. */
async function visitor(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ["microphone"], ...options });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const device = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const;
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options: device });
  return { context, page, cdp, authenticatorId, wrong: watch(page) };
}

const credentials = async (cdp: CDPSession, authenticatorId: string) => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials;

/** Whether the browser offers passkeys in a field by itself. */
const offers = (page: Page, available: boolean) => page.addInitScript((given) => (PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(given)), available);

const passkeys = (page: Page) => page.locator("section", { has: page.getByRole("heading", { name: "Passkeys" }) }).last();

test("first run: from the printed link to a passkey, an invitation, and the second person's first recording", async ({ hark, browser }) => {
  const owner = await visitor(browser);
  const steps: string[] = [];
  const began = Date.now();
  const step = (what: string) => steps.push(`${what} ${((Date.now() - began) / 1000).toFixed(1)} s`);

  await owner.page.goto(hark.signInAddress());
  await owner.page.getByRole("button", { name: "Sign in" }).click();
  await owner.page.getByRole("textbox", { name: "Your name" }).fill("Ada");
  await owner.page.getByRole("textbox", { name: "Workspace name" }).fill("Harbour office");
  await owner.page.keyboard.press("Enter");
  await expect(owner.page.getByRole("heading", { name: "How will you sign in next time?" })).toBeVisible();
  step("named");
  await owner.page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(owner.page.getByRole("heading", { name: "Say hello" })).toBeVisible();
  expect(await credentials(owner.cdp, owner.authenticatorId)).toMatchObject([{ rpId: "localhost", isResidentCredential: true, userName: "Ada" }]);
  step("passkey");

  await owner.page.goto(`${hark.url}/settings/invitations`);
  await owner.page.getByRole("button", { name: "New invitation" }).click();
  await owner.page.getByRole("dialog").getByRole("button", { name: "Create link" }).click();
  const link = await owner.page.getByRole("dialog").getByRole("textbox", { name: "Invitation link" }).inputValue();
  step("invitation");

  const bob = await visitor(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await bob.page.goto(link);
  await bob.page.getByLabel("Your name").fill("Bob");
  await bob.page.getByRole("button", { name: "Join" }).click();
  const asked = bob.page.getByRole("complementary", { name: "How will you sign in next time?" });
  await expect(asked).toBeVisible();
  step("joined");
  await record(bob.page).click();
  await expect(recorder(bob.page)).toBeVisible();
  await spoken(bob.page, 2);
  await recorder(bob.page).getByRole("button", { name: "Send" }).click();
  await expect(bob.page.getByRole("article", { name: /Bob/ })).toBeVisible();
  step("recorded");
  console.log(`      ${steps.join(", ")}`);
  expect(Date.now() - began).toBeLessThan(120_000);

  // The second person is asked too, may do so later, and is not asked again then.
  await asked.getByRole("button", { name: "Set up" }).click();
  await expect(bob.page.getByRole("dialog").getByLabel("Email")).toBeFocused();
  await fits(bob.page, "ways");
  await bob.page.keyboard.press("Escape");
  await asked.getByRole("button", { name: "Not now" }).click();
  await expect(asked).toBeHidden();
  await bob.page.reload();
  await expect(bob.page.getByRole("article", { name: /Bob/ })).toBeVisible();
  await expect(asked).toBeHidden();
  expect([...owner.wrong, ...bob.wrong]).toEqual([]);
  await owner.context.close();
  await bob.context.close();
});

test("passkeys are added, renamed, removed and asked for; recovery codes get in once", async ({ hark, browser }, info) => {
  hark.command("user", "add", "Mia");
  const { context, page, cdp, authenticatorId, wrong } = await visitor(browser, { acceptDownloads: true });
  await page.goto(hark.command("user", "sign-in", "Mia"));
  await page.getByRole("button", { name: "Sign in" }).click();
  const asked = page.getByRole("complementary", { name: "How will you sign in next time?" });
  await expect(asked).toBeVisible();
  for (const { colorScheme, viewport } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await page.reload(); // it is drawn anew in its colours
    await expect(asked).toBeVisible();
    await fits(page, `asked ${viewport.width} ${colorScheme}`);
    await page.screenshot({ path: info.outputPath(`asked-${viewport.width}-${colorScheme}.png`) });
  }
  await asked.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("dialog").getByLabel("Email")).toBeFocused();
  await page.screenshot({ path: info.outputPath("ways.png") });
  await page.getByRole("dialog").getByRole("button", { name: "Add a passkey" }).click();
  await expect(asked).toBeHidden();
  await page.goto(`${hark.url}/settings`);
  await expect(passkeys(page)).toContainText(/Chrome on Linux.*Never used/);
  await passkeys(page).getByRole("button", { name: "Add a passkey" }).click();
  await expect(passkeys(page).getByRole("alert")).toContainText("already has a passkey");
  await passkeys(page).getByRole("button", { name: /^Rename/ }).click();
  await passkeys(page).getByRole("textbox", { name: "Name of the passkey" }).fill("Work laptop");
  await page.keyboard.press("Enter");
  await expect(passkeys(page).getByText("Work laptop")).toBeVisible();

  // By the button, and to where one was going.
  await offers(page, false);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await page.goto(`${hark.url}/sign-in?to=/settings`);
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("alert")).toContainText("No passkey was used");
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page).toHaveURL(`${hark.url}/settings`);
  await expect(page.getByText(/by passkey/)).toBeVisible();

  // As if it were later: the passkey is asked for, as there is no password.
  let late = true;
  await page.route("**/v1/recovery-codes", async (route) => {
    if (!late) return route.continue();
    late = false;
    await route.fulfill({ status: 403, contentType: "application/problem+json", json: { type: "/docs#problem-step-up", title: "x", status: 403, code: "step_up", detail: "x" } });
  });
  await page.getByRole("button", { name: "Create recovery codes" }).click();
  const proof = page.getByRole("dialog", { name: "Use your passkey" });
  await fits(page, "proof");
  await proof.getByRole("button", { name: "Use a passkey" }).click();
  const codes = page.getByRole("dialog", { name: "Recovery codes" });
  await expect(codes.getByRole("listitem")).toHaveCount(10);
  await fits(page, "codes");
  await page.screenshot({ path: info.outputPath("codes.png") });
  const [file] = await Promise.all([page.waitForEvent("download"), codes.getByRole("link", { name: "Download" }).click()]);
  expect(file.suggestedFilename()).toBe("hark-recovery-codes.txt");
  const [code] = await codes.getByRole("listitem").allTextContents();
  await codes.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("10 codes left")).toBeVisible();

  for (const { colorScheme, viewport } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await page.reload(); // it is drawn anew in its colours
    await expect(passkeys(page)).toBeVisible();
    await passkeys(page).scrollIntoViewIfNeeded();
    await fits(page, `settings ${viewport.width} ${colorScheme}`);
    await page.screenshot({ path: info.outputPath(`settings-${viewport.width}-${colorScheme}.png`) });
  }

  await page.getByLabel("Language").selectOption("de");
  await page.setViewportSize(looks[0]!.viewport);
  await expect(passkeys(page).getByRole("button", { name: "Passkey hinzufügen" })).toBeVisible(); // the page is made anew in its language
  await passkeys(page).scrollIntoViewIfNeeded();
  await fits(page, "settings in German");
  await page.screenshot({ path: info.outputPath("settings-de.png") });
  await page.getByLabel("Sprache").selectOption("en");
  await expect(page.getByText("10 codes left")).toBeVisible();

  // Elsewhere, by a code, without scripts; and not twice.
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const form = await plain.newPage();
  for (const text of ["1 of 1", "again"]) {
    await form.goto(`${hark.url}/sign-in`);
    await expect(form.getByRole("button", { name: "Sign in with a passkey" })).toBeHidden();
    await form.getByRole("link", { name: "Use a recovery code" }).click();
    await form.getByLabel("Recovery code").fill(code!.toUpperCase());
    await form.getByRole("button", { name: "Sign in" }).click();
    if (text === "again") await expect(form.getByRole("alert").first()).toContainText("wrong or was already used");
    else await expect(form).toHaveURL(`${hark.url}/`);
  }
  await plain.close();

  await page.getByRole("button", { name: /^Remove: Work laptop/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("Work laptop is your only way to sign in.")).toBeVisible();
  await expect(passkeys(page).getByText("Work laptop", { exact: true })).toBeVisible();
  expect(wrong).toEqual([]);
  await context.close();
});

test("the browser offers a passkey by itself; what was removed is not taken", async ({ hark, browser }) => {
  hark.command("user", "add", "Eve");
  const { context, page, wrong } = await visitor(browser);
  await page.goto(hark.command("user", "sign-in", "--to", `${hark.url}/settings`, "Eve"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await passkeys(page).getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByText("Passkey added.")).toBeVisible();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await page.goto(`${hark.url}/sign-in?to=/settings`); // nothing is pressed
  await expect(page).toHaveURL(`${hark.url}/settings`);
  await page.getByRole("button", { name: "Set up email and password" }).click();
  await page.getByRole("dialog").getByLabel("Email").fill("eve@example.org");
  await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill("harbour wall at seven");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Email and password", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: /^Remove: / }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("Passkey removed.")).toBeVisible();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await offers(page, false);
  await page.goto(`${hark.url}/sign-in`);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("alert").first()).toContainText("isn’t accepted here");
  expect(wrong).toEqual([]);
  await context.close();
});

test("the sign-in page with passkeys, with a recovery code, and where there can be none", async ({ hark, browser }, info) => {
  for (const locale of ["en-GB", "de-DE"]) {
    for (const { colorScheme, viewport } of looks) {
      const context = await browser.newContext({ locale, colorScheme, viewport });
      const page = await context.newPage();
      const look = async (what: string) => {
        await fits(page, `${what} ${locale} ${colorScheme} ${viewport.width}`);
        await page.screenshot({ path: info.outputPath(`${what}-${locale}-${colorScheme}-${viewport.width}.png`) });
      };
      await page.goto(`${hark.url}/sign-in`);
      await expect(page.getByRole("button", { name: /[Pp]asskey/ })).toBeVisible();
      await look("passkey");
      await page.goto(`${hark.url}/sign-in?with=recovery`);
      await expect(page.locator("#recovery")).toBeFocused();
      await look("recovery");
      // By an address that is not the public one, and so none of the passkeys'.
      await page.goto(`${hark.url.replace("localhost", "127.0.0.1")}/sign-in`);
      await expect(page.locator("#with-passkey").getByRole("alert")).toContainText(new URL(hark.url).origin);
      await expect(page.getByRole("button", { name: /[Pp]asskey/ })).toBeHidden();
      await look("elsewhere");
      await context.close();
    }
  }
});
