/*
 * The app as people meet it: in by the printed address, a message arrives,
 * plays, is read along, and is found by a word.
 */
import { expect, noteLit, playerClock, signIn, test, watch, wordsOf } from "./app";
import { Hark } from "./hark";
import { lasting, prompt } from "./speech";

/** On a machine that has other work; without events nothing comes for longer. */
const atOnce = 10_000;

test("who is not signed in is told how to", async ({ page }) => {
  const hark = await Hark.start();
  const wrong = watch(page);
  await page.goto(hark.url);
  await expect(page.getByRole("heading", { name: "Say it once." })).toBeVisible();
  await expect(page.getByText("bin/hark user sign-in")).toBeVisible();
  await signIn(page, hark.signInAddress());
  await expect(page.getByRole("heading", { name: "General" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Say hello" })).toBeVisible();
  expect(wrong).toEqual([]);
  await hark.stop();
});

test("a message arrives by itself, plays, and is read along", async ({ app, hark }) => {
  const conversation = await hark.conversation("Arrivals");
  await app.getByRole("link", { name: /^Arrivals/ }).click();
  const sent = await hark.send(conversation, lasting("tt-allbusy"), { title: "All busy" });
  const card = app.getByRole("article", { name: /All busy/ });
  await expect(card).toBeVisible({ timeout: atOnce });
  await hark.ready(sent.id);
  await expect(card.getByRole("link", { name: /telemarketer/i })).toBeVisible({ timeout: atOnce });

  await card.getByRole("button", { name: "Play All busy" }).click();
  await expect.poll(() => playerClock(app)).toBeGreaterThanOrEqual(1);

  await card.getByRole("link", { name: "All busy" }).click();
  await expect(app.locator(".said")).toBeVisible();
  const words = await wordsOf(hark, sent.id);
  const aim = Math.floor(words.length / 2);
  const lit = await noteLit(app);
  await app.locator(`[data-w="${aim}"]`).click();
  // The light is on the word that was pressed, moves on with the voice, and is never on two.
  const since = async () => {
    const seen = (await lit()).map(Number);
    return seen.slice(seen.lastIndexOf(aim));
  };
  await expect.poll(async () => (await since()).length).toBeGreaterThan(2);
  const order = await since(); // it goes on meanwhile
  expect(order[0]).toBe(aim);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  await app.getByRole("button", { name: "Pause All busy" }).first().click();
  await expect(app.locator(".said")).toHaveCount(1);
});

test("a word is found, and plays from where it was said", async ({ app, hark }) => {
  const conversation = await hark.conversation("Finds");
  const sent = await hark.send(conversation, prompt("tt-allbusy"), { title: "To be found" });
  await hark.ready(sent.id);
  await app.getByRole("link", { name: "Search messages" }).click();
  await app.getByRole("searchbox").pressSequentially("telemark", { delay: 30 });
  const hit = app.locator(".found section", { has: app.getByRole("link", { name: "Finds", exact: true }) }).getByRole("button", { name: /Play from/ });
  await expect(hit.locator("mark")).toHaveText(/telemarketer/i);
  const [found] = (await hark.json<{ hits: { start_ms: number }[] }>(`/v1/search?q=telemarketers&conversation=${conversation}`)).hits;
  await hit.click();
  await expect.poll(() => playerClock(app)).toBeGreaterThanOrEqual(Math.floor(found!.start_ms / 1000));
  expect(app.url()).toContain("q=telemark");

  await app.getByRole("combobox", { name: "Conversation" }).selectOption("General");
  await expect(app.getByRole("heading", { name: /No results for/ })).toBeVisible();
  await app.getByRole("button", { name: "Clear filters" }).click();
  await app.getByRole("searchbox").fill("telemarketters");
  await expect(app.getByText(/No exact matches/)).toBeVisible();
});

test("an address names a moment", async ({ app, hark }) => {
  const conversation = await hark.conversation("Moments");
  const sent = await hark.send(conversation, prompt("vm-record-prepend"), { title: "A moment" });
  await hark.ready(sent.id);
  const words = await wordsOf(hark, sent.id);
  const aim = words.length - 2;
  await app.goto(`${hark.url}/m/${sent.id}?t=${words[aim]!.start_ms}`);
  await expect(app.locator(".said")).toHaveText(words[aim]!.text);
  await app.goto(`${hark.url}/m/01a204c2-4dc4-7140-b091-ce2f79242aa2`);
  await expect(app.getByRole("heading", { name: "Message not found" })).toBeVisible();
});

test("everything works by keyboard", async ({ app, hark }) => {
  const conversation = await hark.conversation("Keys");
  for (const title of ["First", "Second"]) await hark.ready((await hark.send(conversation, lasting("vm-record-prepend"), { title })).id);
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(app.getByRole("article")).toHaveCount(2);
  await app.keyboard.press("k");
  await expect(app.getByRole("article", { name: /Second/ })).toBeFocused();
  await app.keyboard.press("k");
  await expect(app.getByRole("article", { name: /First/ })).toBeFocused();
  await app.keyboard.press("Enter");
  await expect(app.getByRole("button", { name: "Pause First" }).first()).toBeVisible();
  await app.keyboard.press(" ");
  await expect(app.getByRole("button", { name: "Play First" }).first()).toBeVisible();
  await app.keyboard.press("n");
  await expect(app.getByRole("button", { name: "Pause Second" }).first()).toBeVisible();
  await app.keyboard.press("o");
  await expect(app).toHaveURL(/\/m\//);
  await app.keyboard.press("/");
  await expect(app.getByRole("searchbox")).toBeFocused();
  await app.keyboard.type("pound");
  await expect(app.locator("[id=hit-0]")).toBeVisible();
  await expect(app.locator(".found")).toHaveAttribute("aria-busy", "false"); // what was found of half the word is not what is walked through
  await app.keyboard.press("ArrowDown");
  await expect(app.locator("[id=hit-0]")).toBeFocused();
  await app.keyboard.press("?");
  await expect(app.getByRole("dialog", { name: "Shortcuts" })).toBeVisible();
  await app.keyboard.press("Escape");
  await expect(app.getByRole("dialog")).toHaveCount(0);
});

test("two people see each other's messages at once", async ({ app, hark, browser }) => {
  const address = hark.signInAddress("Berta");
  const context = await browser.newContext();
  const other = await context.newPage();
  const wrong = watch(other);
  await signIn(other, address);
  await app.getByRole("button", { name: "New conversation" }).click();
  await app.getByRole("textbox", { name: "Title" }).fill("Between us");
  await app.getByRole("combobox", { name: "People" }).fill("bert");
  await app.getByRole("option", { name: "Berta" }).click();
  await app.getByRole("button", { name: "Create" }).click();
  await expect(app.getByRole("heading", { name: "Between us" })).toBeVisible();

  await other.getByRole("link", { name: /^Between us/ }).click();
  await expect(other.getByRole("button", { name: "Microphone" })).toBeVisible(); // what comes before the recorder makes way for it
  await other.locator("input[type=file]").setInputFiles(prompt("vm-record-prepend"));
  const arrived = app.getByRole("article", { name: /^Berta/ });
  await expect(arrived).toBeVisible({ timeout: atOnce });
  await expect(arrived.getByRole("link", { name: /^Open/ })).toBeVisible({ timeout: 60_000 });

  await arrived.getByRole("button", { name: "Message menu" }).click();
  await app.getByRole("menuitem", { name: "Delete" }).click();
  await app.getByRole("button", { name: "Delete message" }).click();
  await expect(app.getByRole("status").or(app.getByRole("alert")).filter({ hasText: /deleted|not/i }).first()).toBeVisible();
  expect(wrong).toEqual([]);
  await context.close();
});

test("settings: a token is shown once and can be ended; German; dark", async ({ app, hark }) => {
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("button", { name: "New token" }).click();
  await app.getByRole("textbox", { name: "Name" }).fill("backup");
  await app.getByRole("checkbox", { name: "Change and delete" }).uncheck();
  await app.getByRole("button", { name: "Create token" }).click();
  const secret = await app.getByRole("textbox", { name: "New token" }).inputValue();
  const asToken = () => fetch(`${hark.url}/v1/me`, { headers: { Authorization: `Bearer ${secret}` } }).then((answer) => answer.status);
  expect(await asToken()).toBe(200);
  const rename = await fetch(`${hark.url}/v1/me`, { method: "PATCH", body: '{"name":"x"}', headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" } });
  expect(rename.status).toBe(403);
  await app.keyboard.press("Escape");
  await expect(app.getByText(/Record messages/)).not.toHaveText(/Change and delete/);
  await app.getByRole("button", { name: "Revoke: backup" }).click();
  await app.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect.poll(asToken).toBe(401);

  await app.getByText("Dark", { exact: true }).click();
  await expect(app.locator("html")).toHaveAttribute("data-theme", "dark");
  await app.getByRole("combobox", { name: "Language" }).selectOption("Deutsch");
  await expect(app.getByRole("heading", { name: "Einstellungen" })).toBeVisible();
  await app.reload();
  await expect(app.getByRole("heading", { name: "Einstellungen" })).toBeVisible();
  await hark.json("/v1/me", { method: "PATCH", body: JSON.stringify({ language: "" }) }); // others here speak English
  await app.getByRole("button", { name: "Abmelden" }).click();
  await expect(app.getByRole("heading", { name: "Einmal gesagt." })).toBeVisible();
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });

  test("one thing is shown at a time, and nothing sticks out", async ({ app, hark }) => {
    const conversation = await hark.conversation("Pocket");
    const sent = await hark.send(conversation, lasting("vm-record-prepend"), { title: "In the pocket" });
    await hark.ready(sent.id);
    const fits = () => app.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth);
    await app.goto(hark.url);
    await app.getByRole("link", { name: /^Pocket/ }).tap();
    await expect(app.getByRole("navigation", { name: "Conversations" })).toHaveCount(0);
    await expect.poll(fits).toBe(true);
    await app.getByRole("button", { name: "Play In the pocket" }).tap();
    await expect(app.getByRole("region", { name: "Player" }).getByText(/0:(0[1-9]|[1-5]\d) \//)).toBeVisible();
    await expect.poll(fits).toBe(true);
    await app.getByRole("region", { name: "Player" }).getByRole("button", { name: /^Open player/ }).tap();
    await app.getByRole("dialog", { name: /Now playing/ }).getByRole("link", { name: "In the pocket" }).tap();
    await expect(app.locator(".said")).toBeVisible();
    await expect.poll(fits).toBe(true);
    await app.getByRole("button", { name: "Back", exact: true }).tap();
    await app.getByRole("link", { name: "All conversations" }).tap();
    await expect(app.getByRole("navigation", { name: "Conversations" })).toBeVisible();
    const small = await app.evaluate(() =>
      Array.from(document.querySelectorAll<HTMLElement>("button, a.search, a.me, nav a"))
        .filter((e) => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44))
        .map((e) => e.outerHTML.slice(0, 100)),
    );
    expect(small).toEqual([]);
  });
});
