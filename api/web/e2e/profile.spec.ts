/*
 * One's profile as it is set and as others see it: a picture, how a name is said, language,
 * time zone and quiet hours; and an address that holds when it was confirmed by mail.
 */
import { expect, type Page, test as base } from "@playwright/test";

import { watch } from "./app";
import { fits } from "./axe";
import { Hark } from "./hark";
import { Mailbox } from "./mailbox";

const test = base.extend<{ mailbox: Mailbox; hark: Hark }>({
  mailbox: async ({}, use) => {
    const mailbox = await Mailbox.start();
    await use(mailbox);
    mailbox.stop();
  },
  hark: async ({ mailbox }, use) => {
    const hark = await Hark.start({ ...mailbox.settings, HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9" });
    await use(hark);
    await hark.stop();
  },
});

async function signIn(page: Page, hark: Hark, link: string) {
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("link", { name: /Settings|Einstellungen/ }).first()).toBeVisible();
  await page.goto(`${hark.url}/settings`);
}

/** A picture that the browser draws. */
const drawn = async (page: Page) =>
  Buffer.from(
    await page.evaluate(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 200 });
      const pen = canvas.getContext("2d")!;
      pen.fillStyle = "teal";
      pen.fillRect(0, 0, 300, 200);
      return canvas.toDataURL("image/webp").split(",")[1]!;
    }),
    "base64",
  );

test("a picture, a spoken name and quiet hours, and what others see of them", async ({ page, hark, browser }, info) => {
  test.setTimeout(120_000);
  const wrong = watch(page);
  await page.context().grantPermissions(["microphone"]);
  hark.command("user", "add", "Liz");
  await hark.json("/v1/conversations", { method: "POST", body: JSON.stringify({ title: "Harbour", member_ids: (await hark.json<{ items: { id: string }[] }>("/v1/users")).items.map(({ id }) => id) }) });
  await signIn(page, hark, hark.command("user", "sign-in", "Liz"));

  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload a picture" }).click();
  await (await chooser).setFiles({ name: "me.webp", mimeType: "image/webp", buffer: await drawn(page) });
  await expect(page.getByText("Picture saved.")).toBeVisible();
  const shown = page.getByRole("region", { name: "Profile" }).locator(".avatar img");
  await expect(shown).toHaveJSProperty("naturalWidth", 256);

  const said = page.getByRole("region", { name: "Profile" });
  await said.getByRole("button", { name: "Record your name" }).click();
  await expect(said.getByRole("button", { name: "Stop" })).toBeVisible();
  await fits(page, "recording");
  await expect(said.getByRole("button", { name: "Save" })).toBeVisible({ timeout: 60_000 }); // after five seconds, by itself
  await said.getByRole("button", { name: "Play your recording" }).click();
  await said.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Recording saved.")).toBeVisible();
  await expect(said.getByRole("button", { name: "Remove the recording" })).toBeVisible();

  await page.getByRole("combobox", { name: "Time zone" }).fill("Mars/Olympus");
  await page.keyboard.press("Tab");
  await expect(page.getByText("Choose a time zone from the list.")).toBeVisible();
  await page.getByRole("combobox", { name: "Time zone" }).fill("Europe/Berlin");
  await page.keyboard.press("Tab");
  await expect(page.getByText("Choose a time zone from the list.")).toBeHidden();
  await page.getByRole("switch", { name: "Quiet hours" }).check();
  await page.getByLabel("From", { exact: true }).fill("21:30");
  await page.keyboard.press("Tab");
  await page.getByRole("checkbox", { name: "Fri" }).check();
  const token = hark.command("token", "create", "--user", "Liz");
  const me = async () => (await (await fetch(`${hark.listening}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })).json()) as Record<string, unknown>;
  await expect.poll(me).toMatchObject({ time_zone: "Europe/Berlin", quiet_hours: { from: "21:30", to: "07:00", days: ["fri"] } });
  await fits(page, "wide, light");
  await page.screenshot({ path: info.outputPath("profile.png"), fullPage: true });

  await page.getByRole("combobox", { name: "Language" }).selectOption("de");
  await expect(page.getByRole("heading", { name: "Einstellungen" })).toBeVisible();
  await expect.poll(async () => (await me()).language).toBe("de");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await fits(page, "narrow, dark, German");
  await page.screenshot({ path: info.outputPath("profile-de.png"), fullPage: true });

  // On another device the language that was chosen is spoken.
  const elsewhere = await browser.newContext({ locale: "en-GB" });
  const phone = await elsewhere.newPage();
  await phone.addInitScript(() => {
    new MutationObserver(() => {
      if (document.querySelector(".app-shell") && document.documentElement.lang !== "de") sessionStorage.setItem("flashed", document.documentElement.lang);
    }).observe(document, { childList: true, subtree: true });
  });
  await signIn(phone, hark, hark.command("user", "sign-in", "Liz"));
  await expect(phone.getByRole("heading", { name: "Einstellungen" })).toBeVisible();
  expect(await phone.evaluate(() => sessionStorage.getItem("flashed"))).toBeNull(); // nor was another before it
  await elsewhere.close();

  // The owner sees and hears her, and can take both away.
  const owner = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const desk = await owner.newPage();
  await signIn(desk, hark, hark.signInAddress());
  await desk.goto(`${hark.url}/settings/members`);
  await expect(desk.locator(".member img")).toHaveJSProperty("naturalWidth", 256);
  const heard = desk.waitForResponse((answer) => /\/pronunciation\?v=/.test(answer.url()) && answer.ok());
  await desk.getByRole("button", { name: "Hear how Liz is said" }).click();
  await heard;
  await fits(desk, "members");
  await desk.screenshot({ path: info.outputPath("members.png") });
  await desk.getByRole("button", { name: "Remove the picture of Liz" }).click();
  await expect(desk.locator(".member img")).toHaveCount(0);
  await expect(page.locator(".avatar img")).toHaveCount(0); // she hears of it
  await owner.close();
  expect(wrong).toEqual([]);
});

test("an address holds when the link that was mailed to it is opened, without a script, in another browser", async ({ page, hark, mailbox, browser }, info) => {
  test.setTimeout(60_000);
  hark.command("user", "add", "Liz");
  hark.command("user", "set-email", "Liz", "liz@example.org");
  await signIn(page, hark, hark.command("user", "sign-in", "Liz"));
  const change = async (email: string, password = "") => {
    await page.getByRole("button", { name: "Change email or password" }).click();
    await page.getByRole("textbox", { name: "Email" }).fill(email);
    if (password) await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  };
  await change("liz@example.net", "harbour wall at seven");
  await expect(page.getByText("Waiting for you to confirm liz@example.net.")).toBeVisible();
  await expect(page.getByText("liz@example.org")).toBeVisible();
  await fits(page, "waiting");
  await page.screenshot({ path: info.outputPath("waiting.png") });
  const link = /http\S+confirm-email\?code=\w+/;
  const first = link.exec(await mailbox.next("liz@example.net", /Confirm this address/))![0];
  await page.getByRole("button", { name: "Send again" }).click();
  const second = link.exec(await mailbox.next("liz@example.net", /Confirm this address/))![0];

  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 }, locale: "de-DE", colorScheme: "dark" });
  const mail = await plain.newPage();
  await mail.goto(first);
  await expect(mail.getByRole("alert")).toContainText("Dieser Link ist abgelaufen");
  await mail.goto(second);
  await expect(mail.getByText("liz@example.net")).toBeVisible();
  await mail.screenshot({ path: info.outputPath("confirm.png") });
  await mail.getByRole("button", { name: "Bestätigen" }).click();
  await expect(mail.getByRole("status")).toContainText("Ab jetzt");
  await plain.close();
  await mailbox.next("liz@example.org", /Mit dieser Adresse geht es nicht mehr/); // in the language of the browser that confirmed it: she chose none

  const scripted = await browser.newContext();
  const used = await scripted.newPage();
  await used.goto(second);
  await fits(used, "a link that was used");
  await scripted.close();

  await page.reload();
  await expect(page.getByText("liz@example.net")).toBeVisible();
  await expect(page.getByText("Waiting for you to confirm")).toBeHidden();
  await change("ada@example.net");
  await page.getByRole("button", { name: "Cancel the change" }).click();
  await expect(page.getByText("Cancelled.")).toBeVisible();
  await expect(page.getByText("Waiting for you to confirm")).toBeHidden();
});
