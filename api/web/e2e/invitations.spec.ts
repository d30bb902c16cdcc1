/* Who is in: invitations and the page on which one joins, the list of members, and what happens at once in other tabs. */
import type { Browser, BrowserContextOptions, Page, Route } from "@playwright/test";

import { expect, signIn, test as base, watch } from "./app";
import { accessible } from "./axe";
import { Hark } from "./hark";
import { lost } from "./look";
import { looks } from "./looks";

/** Nobody transcribes here: what is said is not the subject. */
const test = base.extend<object, { hark: Hark }>({
  hark: [
    async ({}, use) => {
      const hark = await Hark.start({ HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9" });
      await use(hark);
      await hark.stop();
    },
    { scope: "worker" },
  ],
});

const phone = { width: 390, height: 844 };

interface Invitation {
  id: string;
  link: string;
}

const invite = (hark: Hark, body: object) => hark.json<Invitation>("/v1/invitations", { method: "POST", body: JSON.stringify(body) });

/** A link as people open it: of where this Hark is, whatever it takes for its public address. */
const linkOf = (hark: Hark, { link }: Invitation) => hark.url + new URL(link).pathname + new URL(link).search;

/** Somebody with a browser of their own. */
async function visitor(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  return { page, context, wrong: watch(page) };
}

const member = (page: Page, name: string) => page.getByRole("list", { name: "Members" }).getByRole("listitem").filter({ hasText: name });

test("from an invitation to a guest's conversation on a phone, in under 20 seconds", async ({ app, hark, browser }) => {
  const talk = await hark.conversation("Harbour, field notes");
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("link", { name: "Invitations" }).click();
  await expect(app.getByRole("heading", { name: "No invitations yet" })).toBeVisible();
  await app.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await app.getByRole("button", { name: "New invitation" }).click();
  const dialog = app.getByRole("dialog");
  await dialog.getByText("Guest", { exact: true }).click();
  const create = dialog.getByRole("button", { name: "Create link" });
  await expect(dialog.getByText("Choose at least one conversation.")).toBeVisible();
  await expect(create).toBeDisabled();
  await dialog.getByRole("checkbox", { name: "Harbour, field notes" }).check();
  await create.click();
  await dialog.getByRole("button", { name: "Copy link" }).click();
  let link = "";
  await expect.poll(async () => (link = await app.evaluate(() => navigator.clipboard.readText()))).toMatch(/\/join\?code=hark_\w{43}$/);
  await expect(dialog.getByRole("textbox", { name: "Invitation link" })).toHaveValue(link);
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(app.getByRole("listitem").filter({ hasText: "1 of 1 use left" })).toContainText("by Owner");

  const guest = await visitor(browser, { viewport: phone, hasTouch: true, isMobile: true });
  const began = Date.now();
  await guest.page.goto(link);
  await expect(guest.page.getByText("Owner invites you as a guest.")).toBeVisible();
  await expect(guest.page.getByText("Harbour, field notes")).toBeVisible();
  await guest.page.getByLabel("Your name").fill("Gus the guest");
  await guest.page.keyboard.press("Enter");
  await expect(guest.page.getByRole("heading", { name: "Harbour, field notes" })).toBeVisible();
  const took = Date.now() - began;
  console.log(`      from the link to the conversation: ${took} ms`);
  expect(took).toBeLessThan(20_000);
  expect(guest.page.url()).toBe(`${hark.url}/c/${talk}`);
  await expect(guest.page.getByRole("button", { name: /Start talking|Record/ }).first()).toBeEnabled();

  // The owner's page has seen it happen.
  await expect(app.getByRole("listitem").filter({ hasText: "Used up" })).toContainText("Joined: Gus the guest");
  await guest.page.goto(link);
  await expect(guest.page.getByRole("alert")).toContainText("has been used up");
  await guest.page.goto(`${hark.url}/settings`);
  await expect(guest.page.getByRole("heading", { name: "Settings" })).toBeVisible();
  await expect(guest.page.getByRole("link", { name: "Members" })).toHaveCount(0);
  await guest.page.goto(`${hark.url}/settings/members`);
  await expect(guest.page.getByRole("heading", { name: "Only for owners and admins" })).toBeVisible();
  expect(guest.wrong).toEqual([]);
  await guest.context.close();
});

test("joining works without scripts, names what is wrong, and warns before it replaces somebody", async ({ hark, browser }) => {
  const made = await invite(hark, { role: "member", uses: 3 });
  const plain = await visitor(browser, { javaScriptEnabled: false });
  await plain.page.goto(linkOf(hark, made));
  await expect(plain.page.getByRole("heading", { name: "Join Hark" })).toBeVisible();
  await plain.page.getByLabel("Your name").fill("\u200b");
  await plain.page.getByRole("button", { name: "Join" }).click();
  await expect(plain.page.getByRole("alert")).toContainText("1 to 80 characters");
  await plain.page.getByLabel("Your name").fill("Nora <b>Noscript</b>");
  await plain.page.keyboard.press("Enter");
  await plain.page.waitForURL(/\/c\/[0-9a-f-]{36}$/);
  const cookies = await plain.context.cookies();
  expect(cookies.filter(({ httpOnly, sameSite }) => httpOnly && sameSite === "Lax")).toHaveLength(2); // the session, and what the browser is known by
  await plain.page.goto(linkOf(hark, made));
  await expect(plain.page.getByRole("alert")).toContainText("will be signed out: Nora <b>Noscript</b>");
  await plain.page.getByRole("link", { name: "Keep using Hark as you are" }).click();
  await expect(plain.page).toHaveURL(`${hark.url}/`);
  await plain.page.goto(linkOf(hark, made));
  await plain.page.getByLabel("Your name").fill("Second Self");
  await plain.page.getByRole("button", { name: "Join" }).click();
  await plain.page.waitForURL(/\/c\/[0-9a-f-]{36}$/);
  await plain.page.goto(`${hark.url}/join?code=hark_nothing`);
  await expect(plain.page.getByRole("alert")).toContainText("isn’t valid");
  await plain.context.close();

  const german = await visitor(browser, { locale: "de-DE" });
  await german.page.goto(linkOf(hark, made));
  await expect(german.page.getByText("Owner lädt dich ein", { exact: false })).toBeVisible();
  await german.page.getByLabel("Dein Name").fill("Dörte");
  await german.page.getByRole("button", { name: "Beitreten" }).click();
  await expect(german.page.getByRole("heading", { name: "General" })).toBeVisible();
  expect(german.wrong).toEqual([]);
  await german.context.close();
});

test("members are found, get other roles and are deactivated; other tabs see it at once", async ({ app, hark, browser }) => {
  for (const name of ["Žofie Dvořák", "Zora Quist"]) hark.command("user", "add", name);
  const second = await app.context().newPage();
  for (const page of [app, second]) {
    await page.goto(`${hark.url}/settings/members`);
    await expect(member(page, "Žofie Dvořák")).toContainText("Not active yet");
  }
  await app.getByRole("searchbox", { name: "Search members" }).fill("dvor");
  await expect(app.getByRole("listitem").filter({ hasText: "Zora" })).toHaveCount(0);
  await expect(member(app, "Žofie Dvořák")).toHaveCount(1);
  await app.getByRole("searchbox").fill("nobody at all");
  await expect(app.getByRole("heading", { name: "Nobody called “nobody at all”" })).toBeVisible();
  await app.getByRole("searchbox").fill("");

  await app.getByRole("combobox", { name: "Role of Zora Quist" }).selectOption("admin");
  await expect(app.getByText("Zora Quist: Admin")).toBeVisible();
  await expect(second.getByRole("combobox", { name: "Role of Zora Quist" })).toHaveValue("admin");
  await app.getByRole("button", { name: "Deactivate: Žofie Dvořák" }).click();
  await app.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
  for (const page of [app, second]) await expect(member(page, "Žofie Dvořák")).toContainText("Deactivated");
  await second.getByRole("button", { name: "Activate: Žofie Dvořák" }).click();
  await expect(member(app, "Žofie Dvořák")).not.toContainText("Deactivated");
  await app.getByRole("button", { name: "Sign-in link: Žofie Dvořák" }).click();
  const shown = app.getByRole("dialog", { name: "Sign-in link for Žofie Dvořák" });
  const link = await shown.getByRole("textbox", { name: "Sign-in link" }).inputValue();
  const back = await visitor(browser);
  await back.page.goto(hark.url + new URL(link).pathname + new URL(link).search);
  await back.page.getByRole("button", { name: "Sign in" }).click();
  await expect(back.page.locator(".app-shell")).toBeVisible();
  await back.context.close();
  await shown.getByRole("button", { name: "Done" }).click();
  await invite(hark, { role: "member" }).then(async (made) => {
    const new_ = await visitor(browser);
    await new_.page.goto(linkOf(hark, made));
    await new_.page.getByLabel("Your name").fill("Newcomer");
    await new_.page.keyboard.press("Enter");
    await expect(member(app, "Newcomer")).toBeVisible(); // first, and by itself
    await new_.context.close();
  });
  // The last owner keeps their role, and is told why.
  await app.getByRole("combobox", { name: "Role of Owner" }).selectOption("member");
  await expect(app.getByRole("dialog").getByRole("heading", { name: "Change your own role to Member?" })).toBeVisible();
  await app.getByRole("dialog").getByRole("button", { name: "Change role" }).click();
  await expect(app.getByText("A workspace needs an owner.", { exact: false })).toBeVisible();
  await expect(app.getByRole("combobox", { name: "Role of Owner" })).toHaveValue("owner");
  await expect(app.getByRole("button", { name: "Deactivate: Owner" })).toHaveCount(0);
});

test("a demoted admin's open page is told, and what it still tries is refused in plain words", async ({ hark, browser }) => {
  hark.command("user", "add", "--role", "admin", "Anna Admin");
  const admin = await visitor(browser);
  await signIn(admin.page, hark.command("user", "sign-in", "Anna Admin").split("\n").at(-1)!);
  const me = await admin.page.evaluate(async () => ((await (await fetch("/v1/me")).json()) as { id: string }).id);
  await admin.page.goto(`${hark.url}/settings/members`);
  await expect(member(admin.page, "Owner")).toBeVisible();
  await expect(admin.page.getByRole("combobox", { name: "Role of Owner" })).toHaveCount(0); // who stands above

  // A page that has not heard of it yet.
  await admin.page.route("**/v1/members/*", (route) => route.fulfill({ status: 403, contentType: "application/problem+json", json: { code: "forbidden", status: 403, title: "x", detail: "y", type: "z" } }));
  await admin.page.getByRole("combobox", { name: "Role of Anna Admin" }).selectOption("member");
  await admin.page.getByRole("dialog").getByRole("button", { name: "Change role" }).click();
  await expect(admin.page.getByText("Your role doesn’t reach that far any more.", { exact: false })).toBeVisible();
  await admin.page.unroute("**/v1/members/*");

  await hark.json(`/v1/members/${me}`, { method: "PATCH", body: JSON.stringify({ role: "member" }) });
  await expect(admin.page.getByRole("heading", { name: "Only for owners and admins" })).toBeVisible({ timeout: 20_000 });
  await expect(admin.page.getByRole("combobox")).toHaveCount(0);
  await admin.page.getByRole("main").getByRole("link", { name: "Go to settings" }).last().click();
  await expect(admin.page.getByRole("heading", { name: "Settings" })).toBeVisible();
  await expect(admin.page.getByRole("link", { name: "Members" })).toHaveCount(0);
  expect(admin.wrong).toEqual([]);
  await admin.context.close();
});

for (const look of looks) {
  test(`pages for people at ${look.viewport.width} px, ${look.colorScheme}: nothing is lost, axe finds nothing, German too`, async ({ hark, browser }) => {
    hark.command("user", "add", `Maximiliane Wolfeschlegelsteinhausen-Bergerdorff ${look.viewport.width} ${look.colorScheme}`);
    const talk = await hark.conversation("Zwischenberichtsbesprechungsprotokolle, Donaudampfschifffahrtsgesellschaft");
    const open = await invite(hark, { role: "guest", uses: 5, conversation_ids: [talk], email: "grace@example.org" });
    const over = await invite(hark, { role: "member" });
    await hark.json(`/v1/invitations/${over.id}`, { method: "DELETE" }).catch(() => {}); // 204 has no JSON
    const { page, context, wrong } = await visitor(browser, { ...look, reducedMotion: "reduce" });
    const fits = async (what: string) => {
      expect((await lost(page)).map((one) => `${what}: ${one}`)).toEqual([]);
      await accessible(page, what);
    };
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    for (const [what, link] of [["join", linkOf(hark, open)], ["over", linkOf(hark, over)], ["unknown", `${hark.url}/join?code=x`]] as const) {
      await page.goto(link);
      expect([what, await wide()]).toEqual([what, true]);
      await accessible(page, what);
    }
    await signIn(page, hark.signInAddress());
    await page.goto(linkOf(hark, open));
    await expect(page.getByRole("alert")).toBeVisible();
    await accessible(page, "join, signed in");
    for (const language of ["en", "de"]) {
      await page.goto(`${hark.url}/settings`);
      await page.evaluate((chosen) => localStorage.setItem("hark.prefs", JSON.stringify({ language: chosen })), language);
      const title = language === "en" ? { members: "Members", invitations: "Invitations", make: "New invitation" } : { members: "Mitglieder", invitations: "Einladungen", make: "Neue Einladung" };
      await page.goto(`${hark.url}/settings/members`);
      await expect(page.getByRole("heading", { name: title.members, level: 1 })).toBeVisible();
      await expect(page.getByText("Wolfeschlegel", { exact: false }).first()).toBeVisible();
      await fits(`members ${language}`);
      await page.goto(`${hark.url}/settings/invitations`);
      await expect(page.getByRole("heading", { name: title.invitations, level: 1 })).toBeVisible();
      await expect(page.getByText("Donaudampf", { exact: false }).last()).toBeVisible();
      await fits(`invitations ${language}`);
      await page.getByRole("button", { name: title.make }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await fits(`new invitation ${language}`);
      await page.keyboard.press("Escape");
    }
    await page.evaluate(() => localStorage.removeItem("hark.prefs"));
    for (const [path, call] of [["members", "**/v1/members?*"], ["invitations", "**/v1/invitations?*"]] as const) {
      const refuse = (route: Route) => route.abort();
      await page.route(call, refuse);
      await page.goto(`${hark.url}/settings/${path}`);
      await expect(page.getByRole("alert")).toContainText("Can’t reach Hark");
      await fits(`${path}, failed`);
      await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
      let go = () => {};
      const held = new Promise<void>((resolve) => (go = resolve));
      await page.route(call, async (route) => (await held, route.continue())); // before the other ends: the page may try by itself any time
      await page.unroute(call, refuse);
      await page.reload();
      const loading = page.getByRole("main").getByRole("status", { name: "Loading" });
      await expect(loading).toBeVisible();
      await fits(`${path}, loading`);
      go();
      await expect(loading).toHaveCount(0);
      await page.unrouteAll({ behavior: "ignoreErrors" });
    }
    expect(wrong).toEqual([]);
    await context.close();
  });
}

test("by keyboard alone an invitation is made and revoked", async ({ app, hark }) => {
  await hark.conversation("Keys");
  await app.goto(`${hark.url}/settings/invitations`);
  await app.getByRole("button", { name: "New invitation" }).focus();
  await app.keyboard.press("Enter");
  const dialog = app.getByRole("dialog");
  await dialog.getByRole("spinbutton", { name: "How many people" }).focus();
  await app.keyboard.press("ControlOrMeta+A");
  await app.keyboard.type("7");
  await app.keyboard.press("Enter");
  await expect(dialog.getByRole("button", { name: "Copy link" })).toBeFocused();
  await app.keyboard.press("Escape");
  const one = app.getByRole("listitem").filter({ hasText: "7 of 7 uses left" });
  await one.getByRole("button", { name: /^Revoke/ }).focus();
  await app.keyboard.press("Enter");
  await app.getByRole("dialog").getByRole("button", { name: "Revoke" }).focus();
  await app.keyboard.press("Enter");
  await expect(app.getByText("Invitation revoked.")).toBeVisible();
  await expect(one).toHaveCount(0);
});
