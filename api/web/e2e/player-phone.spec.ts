/* The player on a phone: the strip that it shares with the record bar, and the player on the whole screen. */
import type { Page } from "@playwright/test";

import { passing } from "./app";
import { found } from "./axe";
import { atRest, Finger, pointIn } from "./finger";
import type { Hark } from "./hark";
import { expect, test as base } from "./listening";
import { at, jumpedBack, jumps, sound } from "./sound";
import { lasting } from "./speech";
import { tone } from "./wav";

const test = base.extend<{ finger: Finger }>({
  finger: async ({ app }, use) => use(await Finger.of(app)),
});
test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

const strip = (page: Page) => page.getByRole("region", { name: "Player" });
const sheet = (page: Page) => page.getByRole("dialog", { name: /Now playing/ });
const opener = (page: Page) => strip(page).getByRole("button", { name: /^Open player/ });
const recordButton = (page: Page) => page.getByRole("button", { name: "Record", exact: true });
const rate = async (page: Page) => (await sound(page)).rate;

/** Longer than a test takes on a slow machine, at twice the speed too. */
const long = tone(240);

/** A conversation of messages that play for long, opened, with one of them playing. */
async function playing(page: Page, hark: Hark, name: string) {
  const conversation = await hark.conversation(name);
  for (const [title, sound] of [["First", tone(5)], ["Second", long], ["Third", long]] as const) await hark.ready((await hark.send(conversation, sound, { title: `${title} of ${name}` })).id);
  await page.goto(`${hark.url}/c/${conversation}`);
  await page.getByRole("article", { name: /Second/ }).getByRole("button", { name: /^Play/ }).tap();
  await expect(strip(page).getByRole("button", { name: /^Pause Second/ })).toBeVisible();
  await expect(recordButton(page)).toBeVisible();
  return conversation;
}

test("record bar and player share one slim strip", async ({ app, hark }) => {
  await playing(app, hark, "Strip");
  const taken = async () => {
    const top = await app.evaluate(() => Math.min(...Array.from(document.querySelectorAll("main footer, section[aria-label=Player]"), (part) => part.getBoundingClientRect()).filter(({ height }) => height > 0).map((box) => box.top)));
    return app.viewportSize()!.height - top;
  };
  for (const [width, height] of [[390, 844], [360, 640], [320, 640], [844, 390]] as const) {
    await app.setViewportSize({ width, height });
    await expect.poll(taken).toBeLessThanOrEqual(64);
    // The record button stands beside the others, on top of none, and all can be hit.
    await atRest(strip(app));
    const boxes = await app.evaluate(() => Array.from(document.querySelectorAll("section[aria-label=Player] button, button.record"), (button) => button.getBoundingClientRect().toJSON() as DOMRect).sort((a, b) => a.left - b.left));
    expect(boxes.length).toBe(5);
    for (const [i, box] of boxes.entries()) {
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
      expect(box.left).toBeGreaterThanOrEqual(i ? boxes[i - 1]!.right - 0.5 : 0);
      expect(box.right).toBeLessThanOrEqual(width);
    }
  }
  await app.setViewportSize({ width: 390, height: 844 });
  await strip(app).getByRole("button", { name: "Next message" }).tap();
  await strip(app).getByRole("button", { name: /^Pause Third/ }).tap();
  await app.evaluate(() => ((window as unknown as { sound: HTMLAudioElement }).sound.currentTime = 0)); // further on it would begin Third again
  await strip(app).getByRole("button", { name: "Previous message" }).tap();
  await strip(app).getByRole("button", { name: /^Pause Second/ }).tap();
  // At rest, what was recorded elsewhere can be sent again.
  await expect(app.getByRole("button", { name: "Upload a recording" })).toBeVisible();
  await expect.poll(taken).toBeLessThanOrEqual(120);
  await strip(app).getByRole("button", { name: /^Play Second/ }).tap();
  await expect(app.getByRole("button", { name: "Upload a recording" })).toBeHidden();
  await recordButton(app).tap();
  await expect(app.getByRole("button", { name: /^Pause$|Pause recording/ }).first()).toBeVisible();
});

test("the player fills the screen: opened and closed by every way there is", async ({ app, hark, finger }) => {
  const conversation = await playing(app, hark, "Sheet");
  const here = app.url();
  const open = async () => {
    // Right after a swipe the browser takes a tap as the end of the fling, and nothing is pressed.
    await expect(async () => {
      if (!(await sheet(app).isVisible())) await opener(app).tap({ timeout: 1000 });
      await expect(sheet(app)).toBeVisible({ timeout: 1000 });
    }).toPass();
  };
  const closed = async () => {
    await expect(sheet(app)).toBeHidden();
    await expect(app).toHaveURL(here);
    await expect(strip(app).getByRole("button", { name: /^Pause Second/ })).toBeVisible();
  };

  await open();
  await app.goBack();
  await closed();
  await open();
  await sheet(app).getByRole("button", { name: "Hide player" }).tap();
  await closed();
  await opener(app).focus();
  await app.keyboard.press("Enter");
  await expect(sheet(app)).toBeVisible();
  // Tab stays in it, and where one was is where one is again.
  for (let i = 0; i < 30; i++) {
    await app.keyboard.press("Tab");
    expect(await app.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null)).toBe(true);
  }
  await app.keyboard.press("Escape");
  await closed();
  await expect(opener(app)).toBeFocused();

  const up = await pointIn(opener(app));
  await finger.swipe(up, { x: up.x, y: up.y - 160 });
  await expect(sheet(app)).toBeVisible();
  // Not far enough; then from the middle of a button.
  const down = await pointIn(sheet(app).getByRole("heading", { name: /^Second/ }));
  await finger.down(down);
  await finger.move(down, { x: down.x, y: down.y + 40 });
  await finger.cancel();
  await expect(sheet(app)).toBeVisible();
  const button = await pointIn(sheet(app).getByRole("button", { name: /^Pause/ }));
  await finger.swipe(button, { x: button.x, y: button.y + 120 });
  await closed(); // and plays on

  // Escape and swipes are first of what lies above.
  await open();
  await sheet(app).getByRole("button", { name: /^Playback options/ }).tap();
  const options = app.getByRole("dialog", { name: "Playback options" });
  await expect(options).toBeVisible();
  const slid = await pointIn(options.getByRole("slider"));
  await finger.swipe(slid, { x: slid.x, y: slid.y + 150 });
  await expect(sheet(app)).toBeVisible();
  await expect(options.getByRole("switch", { name: /silence/i })).toBeVisible();
  await expect(options.getByRole("switch", { name: /next/i })).toBeVisible();
  await app.keyboard.press("Escape");
  await expect(options).toBeHidden();
  await expect(sheet(app)).toBeVisible();

  // A link in it leads away, and back to where it was opened.
  await sheet(app).getByRole("heading", { name: /^Second/ }).getByRole("link").tap();
  await expect(app).toHaveURL(/\/m\//);
  await expect(sheet(app)).toBeHidden();
  await app.goBack();
  await expect(app).toHaveURL(here);
  await expect(sheet(app)).toBeHidden();

  // What was loaded anew has no player, and one step back is one step back.
  await app.goto(hark.url);
  await app.locator(`nav a[href="/c/${conversation}"]`).tap();
  await app.getByRole("article", { name: /Second/ }).getByRole("button", { name: /^Play/ }).tap();
  await open();
  await app.reload();
  await expect(app.getByRole("article", { name: /Second/ })).toBeVisible();
  await expect(sheet(app)).toBeHidden();
  await app.goBack();
  await expect(app).not.toHaveURL(new RegExp(conversation));
});

test("the full player shows what is said, with room for thumbs", async ({ app, hark }) => {
  const conversation = await hark.conversation("Thumbs");
  const { id } = await hark.send(conversation, lasting("tt-allbusy"), { title: "With words" });
  await hark.ready(id);
  await hark.ready((await hark.send(conversation, long, { title: "Behind" })).id);
  await app.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play With words" }).first().tap();
  await opener(app).tap();
  await expect(sheet(app).getByRole("heading", { name: "With words" })).toBeVisible();
  await expect(sheet(app).getByText(/ · Today/)).toBeVisible();
  await expect(sheet(app).locator(".said")).toBeVisible();
  await sheet(app).getByRole("button", { name: "Pause With words" }).tap();
  const targets = [
    ["Previous message", 48], ["Back 15 seconds", 48], [/^(Play|Pause) With words/, 64], ["Forward 5 seconds", 48], ["Next message", 48],
    ["Hide player", 48], ["Close player", 48], [/^Playback options/, 48], [/^Hold for/, 48],
  ] as const;
  for (const viewport of [{ width: 390, height: 844 }, { width: 360, height: 640 }, { width: 844, height: 390 }]) {
    await app.setViewportSize(viewport);
    await atRest(sheet(app).getByRole("button", { name: "Next message" }));
    for (const [name, least] of targets) {
      const box = (await sheet(app).getByRole("button", { name }).boundingBox())!;
      expect(Math.min(box.width, box.height), `${String(name)} at ${viewport.width}`).toBeGreaterThanOrEqual(least);
      expect(box.y, `${String(name)} at ${viewport.width}`).toBeGreaterThanOrEqual(0);
      expect(box.y + box.height, `${String(name)} at ${viewport.width}`).toBeLessThanOrEqual(viewport.height);
    }
    expect((await sheet(app).locator(".words").boundingBox())!.height).toBeGreaterThan(120);
  }
  await app.setViewportSize({ width: 390, height: 844 });
  for (const colorScheme of ["light", "dark"] as const) {
    await app.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // Of contrast axe cannot judge here: it takes what lies below an open dialog for what is behind its words.
    expect(await found(app, colorScheme, ["color-contrast"])).toEqual([]);
  }
  await sheet(app).getByRole("button", { name: "Next message" }).tap();
  await expect(sheet(app).getByRole("heading", { name: "Behind" })).toBeVisible();
  await sheet(app).getByRole("slider", { name: /Behind/ }).press("PageUp");
  await expect.poll(() => at(app)).toBeGreaterThan(29);
  await jumps(app);
  await sheet(app).getByRole("button", { name: "Back 15 seconds" }).tap();
  await jumpedBack(app, 15);
  // Where there is none, it says so.
  const said = passing(app, /This is the newest message\./);
  await sheet(app).getByRole("button", { name: "Next message" }).tap();
  await said;
  // Keys of the player work in it, those of the list beneath do not.
  await app.keyboard.press("j");
  await app.keyboard.press("/");
  await sheet(app).getByRole("button", { name: "Close player" }).tap();
  await expect(sheet(app)).toBeHidden();
  await expect(strip(app)).toHaveCount(0);
  await expect(app).toHaveURL(new RegExp(`/c/${conversation}`));
});

test("it plays fast while it is pressed, and never longer", async ({ app, hark, finger }) => {
  await playing(app, hark, "Hurry");
  await opener(app).tap();
  const button = sheet(app).getByRole("button", { name: "Hold for 2×" });
  const point = await pointIn(button);
  const press = async () => {
    await finger.down(point);
    await expect.poll(() => rate(app)).toBe(2);
  };
  await press();
  await finger.up();
  await expect.poll(() => rate(app)).toBe(1);

  await press(); // it slides off, far
  await finger.move(point, { x: 20, y: 60 });
  expect(await rate(app)).toBe(2);
  await finger.up();
  await expect.poll(() => rate(app)).toBe(1);
  await expect(sheet(app)).toBeVisible();

  await press(); // the system takes it
  await finger.cancel();
  await expect.poll(() => rate(app)).toBe(1);

  for (const [what, act] of [
    ["a call", () => app.evaluate(() => (window as unknown as { sound: HTMLAudioElement }).sound.pause())],
    ["the page is left", () => app.evaluate(() => dispatchEvent(new Event("blur")))],
    ["the page is hidden", () => app.evaluate(() => document.dispatchEvent(new Event("visibilitychange")))],
    ["the next message", () => app.evaluate(() => Array.from(document.querySelectorAll<HTMLElement>("dialog [aria-label='Next message']"), (b) => b.click()))],
    ["going back", () => app.goBack()],
  ] as const) {
    await press();
    await act();
    await expect.poll(() => rate(app), what).toBe(1);
    await finger.up();
    if (what === "a call") await sheet(app).getByRole("button", { name: /^Play Second/ }).tap();
    await expect.poll(async () => (await sound(app)).paused, what).toBe(false);
    expect(await rate(app), what).toBe(1);
  }

  // By key; and from a speed that is fast already, faster still.
  await opener(app).tap();
  await button.focus();
  await app.keyboard.down(" ");
  await expect.poll(() => rate(app)).toBe(2);
  await app.keyboard.up(" ");
  await expect.poll(() => rate(app)).toBe(1);
  await app.keyboard.press("Tab");
  for (let i = 0; i < 4; i++) await app.keyboard.press(">");
  await expect.poll(() => rate(app)).toBe(2);
  const faster = sheet(app).getByRole("button", { name: "Hold for 3×" });
  await faster.focus();
  await app.keyboard.down("Enter");
  await expect.poll(() => rate(app)).toBe(3);
  await app.keyboard.press("Tab");
  await expect.poll(() => rate(app)).toBe(2);
  await app.keyboard.up("Enter");
  expect(await app.evaluate(() => (JSON.parse(localStorage.getItem("hark.prefs")!) as { rate: number }).rate)).toBe(2);
});
