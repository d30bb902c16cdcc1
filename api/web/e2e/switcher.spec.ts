/* Two workspaces of one person in one browser: switching by keyboard, what waits for its own workspace, other tabs, a recording. */
import type { Page } from "@playwright/test";

import { expect, signIn, test as base, watch } from "./app";
import { fits } from "./axe";
import { Hark } from "./hark";
import { german, looks } from "./looks";
import { pending, record, recorder, spoken } from "./speaking";
import { tone } from "./wav";

/** Nobody transcribes here: what is said is not the subject. */
const test = base.extend<{ app: Page }, { hark: Hark }>({
  hark: [
    async ({}, use) => {
      const hark = await Hark.start({ HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9" });
      await use(hark);
      await hark.stop();
    },
    { scope: "worker" },
  ],
  app: async ({ page, hark }, use) => {
    const wrong = watch(page);
    await signIn(page, hark.command("user", "sign-in", "--workspace", "Hark"));
    await use(page);
    expect(wrong).toEqual([]);
  },
});

const switcher = (page: Page) => page.getByRole("button", { name: "Switch workspace" });
const workspace = (page: Page, name: string) => page.getByRole("dialog").getByRole("button", { name });
const brand = (page: Page) => page.getByRole("complementary").locator(".brand");

/** Makes the owner one of a second workspace too, and shows the app as it is then. */
async function choir(app: Page, hark: Hark) {
  if (!hark.command("workspace", "list").includes("Choir")) {
    await expect(switcher(app)).toBeHidden();
    hark.command("user", "set-email", "Owner", "ada@example.org");
    hark.command("workspace", "create", "Choir", "--owner", "ada@example.org");
  }
  await app.reload();
  await expect(switcher(app)).toBeVisible();
}

/** Switches by keyboard alone. */
async function go(page: Page, name: string) {
  await page.bringToFront(); // as who presses keys there has it
  await switcher(page).focus();
  await page.keyboard.press("Enter");
  const item = workspace(page, name);
  await expect(item).toBeVisible();
  for (let presses = 0; presses < 6 && !(await item.evaluate((element) => element === document.activeElement)); presses++) await page.keyboard.press("Tab");
  await expect(item).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(brand(page)).toHaveText(name);
  await expect(switcher(page)).toBeVisible();
}

test("what waits is sent to its own workspace, and other tabs lead on", async ({ app, hark, context }) => {
  const notes = await hark.conversation("Field notes");
  await choir(app, hark);
  await app.goto(`${hark.url}/c/${notes}`);
  const other = await context.newPage();
  const wrong = watch(other);
  await other.goto(`${hark.url}/c/${notes}`);
  await expect(switcher(other)).toBeVisible();

  let reached = false;
  await context.route("**/v1/conversations/*/messages?*", (route) => (reached || route.request().method() !== "POST" ? route.fallback() : route.abort()));
  await app.locator("input[type=file]").setInputFiles({ name: "Bells.wav", mimeType: "audio/wav", buffer: tone() });
  await expect(pending(app).getByText("Bells.wav")).toBeVisible();
  await go(app, "Choir");
  await expect(app.getByRole("link", { name: "General" })).toBeVisible();
  await expect(app.getByText("Bells.wav")).toBeHidden();
  expect(app.url()).not.toContain(notes);
  await expect(brand(other)).toHaveText("Choir");

  // Whatever is sent from here, it does not go with the session of another workspace.
  reached = true;
  await switcher(app).click();
  await expect(workspace(app, "Hark").getByText("1 recording waits here")).toBeVisible();
  await expect(workspace(app, "Choir")).toHaveAttribute("aria-current", "true");
  await app.keyboard.press("Escape");
  await expect(app.getByRole("dialog")).toHaveCount(0);
  await go(app, "Hark");
  await expect(app).toHaveURL(`${hark.url}/c/${notes}`); // where they were last
  await expect(app.getByRole("article", { name: /Owner/ })).toBeVisible();
  await expect(brand(other)).toHaveText("Hark");
  const { items } = await hark.json<{ items: unknown[] }>(`/v1/conversations/${notes}/messages`);
  expect(items).toHaveLength(1);
  expect(wrong).toEqual([]);
});

test("a recording is neither switched away from nor lost when another tab switches", async ({ app, hark, context }) => {
  const notes = await hark.conversation("Field notes");
  await choir(app, hark);
  await app.goto(`${hark.url}/c/${notes}`);
  await record(app).click();
  await expect(recorder(app)).toBeVisible();
  await spoken(app, 2);
  await switcher(app).click();
  await workspace(app, "Choir").click();
  await expect(app.getByText("Finish or discard your recording first.")).toBeVisible();
  await expect(recorder(app)).toBeVisible();

  app.on("dialog", (dialog) => void dialog.accept()); // leaving is asked about, and what is here is kept
  const other = await context.newPage();
  await other.goto(hark.url);
  await go(other, "Choir");
  await expect(brand(app)).toHaveText("Choir");
  await expect(recorder(app)).toBeHidden();
  await go(app, "Hark");
  await app.goto(`${hark.url}/c/${notes}`);
  await expect(pending(app).getByRole("button", { name: "Send" }).first()).toBeVisible();
});

for (const look of looks) {
  test(`looks at ${look.viewport.width} px, ${look.colorScheme}`, async ({ app, hark }) => {
    await hark.conversation("Ideas"); // beside the first: a phone opens an only one
    await choir(app, hark);
    await app.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    await app.setViewportSize(look.viewport);
    await app.goto(hark.url);
    await switcher(app).click();
    await expect(workspace(app, "Choir")).toBeVisible();
    await fits(app, "switcher");
    await german(app);
    await app.reload();
    await app.getByRole("button", { name: "Arbeitsbereich wechseln" }).click();
    await expect(workspace(app, "Choir")).toBeVisible();
    await fits(app, "German");
  });
}

test("who is signed in joins another workspace as the same person, and is led there after", async ({ app, hark, browser }) => {
  await choir(app, hark);
  hark.command("workspace", "create", "Rowing club", "--owner", "Bob");
  const link = new URL(hark.command("invite", "create", "--workspace", "Rowing club", "--uses", "2"));
  const join = hark.url + link.pathname + link.search;
  await app.goto(join);
  await expect(app.getByLabel("Your name")).toHaveValue("Owner");
  await fits(app, "join as");
  await app.getByRole("button", { name: "Join as ada@example.org" }).click();
  await expect(brand(app)).toHaveText("Rowing club");
  await go(app, "Choir");
  await app.goto(join);
  await app.getByRole("button", { name: "Open Rowing club" }).click();
  await expect(brand(app)).toHaveText("Rowing club");

  await app.goto(join);
  await app.getByRole("link", { name: "Join as someone else" }).click();
  await expect(app.getByRole("alert")).toContainText("will be signed out");
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(join);
  await stranger.getByRole("link", { name: "Already use Hark here? Sign in first" }).click();
  await expect(stranger.getByLabel("Email")).toBeVisible();
  await stranger.context().close();
});
