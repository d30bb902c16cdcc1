/* Programs that take part: one is made with its first token, records with it, is shown for what it is, and ends. */

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

test("from no integration to a bot's recording, and its end", async ({ app, hark }) => {
  const talk = await hark.conversation("Tides");
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("link", { name: "Integrations" }).click();
  await expect(app.getByRole("heading", { name: "No integrations yet" })).toBeVisible();
  await app.getByRole("button", { name: "New integration" }).click();
  const dialog = app.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Tide table");
  await dialog.getByRole("textbox", { name: "What it’s for (optional)" }).fill("Reads the tides aloud");
  await expect(dialog.getByRole("radio", { name: /^Only chosen conversations/ })).toBeChecked();
  await dialog.getByRole("checkbox", { name: "Tides" }).check();
  await dialog.getByRole("button", { name: "Add integration" }).click();

  await expect(dialog.getByRole("heading", { name: "Token for Tide table" })).toBeVisible();
  await expect(dialog.getByRole("textbox", { name: "Name" })).toHaveValue("Tide table");
  await dialog.getByRole("button", { name: "Create token" }).click();
  await expect(dialog.getByText("Copy the token now.")).toBeVisible();
  await app.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const copied = () => app.evaluate(() => navigator.clipboard.readText());
  await dialog.getByRole("button", { name: "Copy token" }).click();
  let token = "";
  await expect.poll(async () => (token = await copied())).toMatch(/^hark_\w{43}$/);
  await dialog.getByRole("button", { name: "Copy command" }).click();
  await expect.poll(copied).toBe(`curl -H "Authorization: Bearer ${token}" -H "Content-Type: audio/mp4" --data-binary @recording.m4a ${hark.url}/v1/conversations/${talk}/messages`);
  await dialog.getByRole("button", { name: "Done" }).click();

  const row = app.getByRole("listitem").filter({ hasText: "Reads the tides aloud" });
  await expect(row).toContainText("Bot");
  await expect(row).toContainText("Only chosen conversations · never used · added by Owner");
  const { id } = await hark.send(talk, tone(), { title: "High water" }, token);
  await row.getByRole("button", { name: "Tokens: Tide table" }).click();
  const its = row.getByRole("list", { name: "Tokens: Tide table" });
  await expect(its.getByRole("listitem")).toContainText("See, hear and search · Record messages · Change and delete its own");
  await expect(its.getByRole("listitem")).toContainText("Used");

  await app.goto(`${hark.url}/c/${talk}`);
  await expect(app.locator(`#message-${id}`)).toContainText("Tide table");
  await expect(app.locator(`#message-${id}`).getByText("Bot", { exact: true })).toBeVisible();
  await app.getByRole("button", { name: "2 members" }).click();
  await expect(app.getByRole("dialog").getByRole("listitem").filter({ hasText: "Tide table" })).toContainText("Bot");
  await app.keyboard.press("Escape");
  await app.goto(`${hark.url}/settings/members`);
  await app.getByRole("link", { name: "Manage: Tide table" }).click();

  await row.getByRole("button", { name: "Edit: Tide table" }).click();
  const square = await app.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
    canvas.getContext("2d")!.fillRect(0, 0, 20, 20);
    return canvas.toDataURL("image/png").split(",")[1]!;
  });
  const chosen = app.waitForEvent("filechooser");
  await dialog.getByRole("button", { name: "Upload a picture" }).click();
  await (await chosen).setFiles({ name: "tide.png", mimeType: "image/png", buffer: Buffer.from(square, "base64") });
  await expect(dialog.getByRole("button", { name: "Replace the picture" })).toBeVisible();
  await expect(row.locator(".avatar img")).toBeVisible();
  await dialog.getByRole("textbox", { name: "Name" }).fill("Tides aloud");
  await dialog.getByRole("button", { name: "Save" }).click();
  await row.getByRole("button", { name: "Deactivate: Tides aloud" }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(row.getByRole("button", { name: "Deactivate: Tides aloud" })).toBeFocused();
  await app.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Deactivate" }).click();
  await expect(row).toContainText("Deactivated");
  await expect(row.getByRole("button", { name: "Activate: Tides aloud" })).toBeFocused();
  const answer = await fetch(`${hark.url}/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(401);
  await row.getByRole("button", { name: "Activate: Tides aloud" }).click();
  await row.getByRole("button", { name: "Tokens: Tides aloud" }).click();
  await expect(row.getByText("No tokens. It can’t do anything until it has one.")).toBeVisible();
  await app.goto(`${hark.url}/c/${talk}`);
  await expect(app.locator(`#message-${id}`)).toContainText("Tides aloud"); // what it said stays
});

for (const look of looks) {
  test(`integrations at ${look.viewport.width} px, ${look.colorScheme}: nothing is lost, axe finds nothing, German too`, async ({ hark, browser }) => {
    const name = `Fernsprechvermittlungsanlage ${look.viewport.width} ${look.colorScheme}`;
    hark.command("integration", "add", "--description", "Nimmt nachts Anrufe entgegen und legt sie als Nachrichten ab", name);
    hark.command("integration", "token", name);
    const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
    const page = await context.newPage();
    const wrong = watch(page);
    const shot = camera(page, look.colorScheme, "integrations-");
    const fits = async (what: string) => {
      await shot(what.replace(" ", "-"));
      expect((await lost(page)).map((one) => `${what}: ${one}`)).toEqual([]);
      await accessible(page, what);
    };
    await signIn(page, hark.signInAddress());
    for (const [language, heading, make] of [["en", "Integrations", "New integration"], ["de", "Integrationen", "Neue Integration"]] as const) {
      await page.evaluate((chosen) => localStorage.setItem("hark.prefs", JSON.stringify({ language: chosen })), language);
      await page.goto(`${hark.url}/settings/integrations`);
      await expect(page.getByRole("heading", { name: heading, level: 1 })).toBeVisible();
      await page.getByRole("button", { name: `Tokens: ${name}` }).click();
      await expect(page.getByRole("list", { name: `Tokens: ${name}` }).getByRole("listitem")).toHaveCount(language === "en" ? 1 : 2);
      await fits(`list ${language}`);
      await page.getByRole("button", { name: make }).click();
      await expect(page.getByRole("dialog").getByRole("radio")).toHaveCount(2);
      await fits(`new ${language}`);
      await page.keyboard.press("Escape");
      if (language === "de") break; // tokens are made once
      await page.getByRole("button", { name: `New token: ${name}` }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("Nachtdienst");
      await fits(`token ${language}`);
      await page.getByRole("dialog").getByRole("button", { name: "Create token" }).click();
      await expect(page.getByRole("dialog").locator("pre")).toBeVisible();
      await fits(`secret ${language}`);
      await page.keyboard.press("Escape");
    }
    expect(wrong).toEqual([]);
    await context.close();
  });
}
