/* What the workspace lets its members do, what a guest sees, and what a newcomer sees of a channel's past. */
import type { Browser } from "@playwright/test";

import { expect, signIn, test as base, watch } from "./app";
import { accessible } from "./axe";
import { Hark } from "./hark";
import { lost } from "./look";
import { camera, looks } from "./looks";
import { tone } from "./wav";

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

/** Somebody with a browser of their own, and their id. */
async function enters(browser: Browser, hark: Hark, name: string, role = "member") {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await signIn(page, hark.command("user", "add", "--role", role, name).split("\n").at(-1)!);
  const id = await page.evaluate(async () => ((await (await fetch("/v1/me")).json()) as { id: string }).id);
  return { page, context, id, wrong: watch(page) };
}

test("a rule holds at once on a member's open page", async ({ app, hark, browser }) => {
  const mia = await enters(browser, hark, "Mia Member");
  const create = mia.page.getByRole("button", { name: "New conversation" }).first();
  await create.click();
  await expect(mia.page.getByRole("radio", { name: /^Channel/ })).toBeVisible();
  await mia.page.keyboard.press("Escape");
  await mia.page.goto(`${hark.url}/settings/rules`);
  await expect(mia.page.getByRole("heading", { name: "Only for owners and admins" })).toBeVisible();

  await app.goto(`${hark.url}/settings`);
  await app.getByRole("link", { name: "Rules" }).click();
  await app.getByRole("combobox", { name: "Create channels" }).selectOption("admins");
  await expect(app.getByText("Rule saved.")).toBeVisible();
  await app.getByRole("combobox", { name: "Invite members" }).selectOption("members");
  await expect(app.getByRole("combobox", { name: "Invite members" })).toBeEnabled();

  await mia.page.getByRole("link", { name: "Go to settings" }).last().click();
  await mia.page.getByRole("link", { name: "Invitations" }).click({ timeout: 20_000 }); // offered by the new rule
  await mia.page.getByRole("button", { name: "New invitation" }).click();
  await expect(mia.page.getByRole("dialog").getByRole("radio")).toHaveCount(1);
  await mia.page.keyboard.press("Escape");
  await create.click();
  const dialog = mia.page.getByRole("dialog");
  await expect(dialog.getByRole("combobox", { name: "People" })).toBeVisible();
  await expect(dialog.getByRole("textbox", { name: "Title" })).toHaveCount(0);
  expect(mia.wrong).toEqual([]);
  await mia.context.close();
});

test("a guest who is added sees what is said from then on, until the channel shows all", async ({ app, hark, browser }) => {
  const talk = await hark.conversation("Harbour plans");
  await hark.send(talk, tone(), { title: "From before" });
  await app.goto(`${hark.url}/c/${talk}`);
  const before = { name: "From before", exact: true };
  await expect(app.getByRole("link", before)).toBeVisible();
  const history = async (name: string, told: string) => {
    await app.getByRole("button", { name: "Conversation menu" }).click();
    await app.getByRole("menuitem", { name: "History for new members" }).click();
    const dialog = app.getByRole("dialog");
    await dialog.getByRole("radio", { name }).check();
    await expect(dialog.getByText(told, { exact: false })).toBeVisible();
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toHaveCount(0);
  };
  await history("New members see only what is sent after they join", "Everyone who is here now keeps what they see.");

  const gus = await enters(browser, hark, "Gus Guest", "guest");
  await app.getByRole("button", { name: "1 member" }).click();
  await app.getByRole("dialog").getByRole("combobox").fill("gus");
  await app.keyboard.press("Enter");
  await app.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
  await expect(app.getByRole("dialog").getByRole("listitem").filter({ hasText: "Gus Guest" })).toBeVisible();
  await app.keyboard.press("Escape");

  await gus.page.getByRole("link", { name: /Harbour plans/ }).click();
  await expect(gus.page.getByText("Messages from before you joined are not shown.")).toBeVisible();
  await expect(gus.page.getByRole("link", before)).toHaveCount(0);
  await expect(gus.page.getByRole("button", { name: "New conversation" })).toHaveCount(0);
  await hark.send(talk, tone(), { title: "Since then" });
  await expect(gus.page.getByRole("link", { name: "Since then", exact: true })).toBeVisible();
  await gus.page.getByRole("button", { name: "2 members" }).click();
  await expect(gus.page.getByRole("dialog").getByRole("listitem")).toHaveCount(2);
  await expect(gus.page.getByRole("dialog").getByRole("combobox")).toHaveCount(0);
  await gus.page.keyboard.press("Escape");

  await history("New members see earlier messages", "Everyone in this conversation will see all of it");
  await expect(gus.page.getByRole("link", before)).toBeVisible(); // without loading the page anew
  await expect(gus.page.getByText("Messages from before you joined are not shown.")).toHaveCount(0);
  expect(gus.wrong).toEqual([]);
  await gus.context.close();
});

for (const look of looks) {
  test(`rules and history at ${look.viewport.width} px, ${look.colorScheme}: nothing is lost, axe finds nothing, German too`, async ({ hark, browser }) => {
    const talk = await hark.conversation("Zwischenberichtsbesprechungsprotokolle");
    const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
    const page = await context.newPage();
    const wrong = watch(page);
    const shot = camera(page, look.colorScheme, "rules-");
    const fits = async (what: string) => {
      await shot(what.replace(" ", "-"));
      expect((await lost(page)).map((one) => `${what}: ${one}`)).toEqual([]);
      await accessible(page, what);
    };
    await signIn(page, hark.signInAddress());
    for (const [language, rules, menu, past] of [["en", "Rules", "Conversation menu", "History for new members"], ["de", "Regeln", "Gesprächsmenü", "Verlauf für neue Mitglieder"]] as const) {
      await page.evaluate((chosen) => localStorage.setItem("hark.prefs", JSON.stringify({ language: chosen })), language);
      await page.goto(`${hark.url}/settings/rules`);
      await expect(page.getByRole("heading", { name: rules, level: 1 })).toBeVisible();
      await expect(page.getByRole("main").getByRole("combobox")).toHaveCount(4);
      await fits(`rules ${language}`);
      await page.goto(`${hark.url}/c/${talk}`);
      await page.getByRole("button", { name: menu }).click();
      await page.getByRole("menuitem", { name: past }).click();
      await page.getByRole("radio").last().check();
      await fits(`history ${language}`);
    }
    expect(wrong).toEqual([]);
    await context.close();
  });
}
