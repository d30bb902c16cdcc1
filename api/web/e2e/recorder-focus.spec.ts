/* What records and what plays know of each other, and what a screen reader says meanwhile. */
import type { Page } from "@playwright/test";

import { expect, watch } from "./app";
import type { Hark } from "./hark";
import { test } from "./quiet";
import { listenIn, sound } from "./sound";
import { enter, record, recorder, spoken } from "./speaking";
import { tone } from "./wav";

const play = (page: Page) => page.getByRole("article").getByRole("button", { name: /^Play / }).first().click();
const plays = async (page: Page) => !(await sound(page)).paused;
const loudness = (page: Page) => page.evaluate(() => (window as unknown as { sound: HTMLAudioElement }).sound.volume);
const resume = (page: Page) => recorder(page).getByRole("button", { name: "Resume" });

/** Opens a conversation that has a message to play. */
async function withMessage(page: Page, hark: Hark, title: string): Promise<string> {
  await listenIn(page);
  const conversation = await enter(page, hark, title);
  await hark.ready((await hark.send(conversation, tone(120))).id);
  await expect(page.getByRole("article")).toHaveCount(1);
  return conversation;
}

async function discard(page: Page) {
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(record(page)).toBeVisible();
}

test("who records hears nothing else, who presses play pauses the recording, and a tab beside it is told", async ({ app, context, hark }) => {
  await app.addInitScript(() => {
    const asked = { times: 0 };
    Object.assign(window, { asked });
    navigator.storage.persist = () => Promise.resolve(++asked.times > 0);
  });
  const conversation = await withMessage(app, hark, "One sound");
  const asked = () => app.evaluate(() => (window as unknown as { asked: { times: number } }).asked.times);
  await play(app);
  await expect.poll(() => plays(app)).toBe(true);
  expect(await asked()).toBe(0);
  await record(app).click();
  await expect.poll(() => plays(app)).toBe(false);
  await spoken(app, 1);
  await expect.poll(asked).toBe(1); // that what is recorded stays on the device

  // No live region but what is said once: it would be in the recording.
  await expect(recorder(app).locator("[aria-live]")).toHaveCount(0);
  await expect(recorder(app).getByRole("status").first()).toHaveText("Recording");

  const other = await context.newPage();
  const wrong = watch(other);
  await listenIn(other);
  await other.goto(`${hark.url}/c/${conversation}`);
  await play(other);
  await expect(other.getByText("You’re recording in another tab.")).toBeVisible();
  await expect.poll(() => plays(other)).toBe(false);
  await expect(recorder(app).getByRole("button", { name: "Pause" })).toBeVisible();
  await other.close();
  expect(wrong).toEqual([]);

  await play(app);
  await expect(resume(app)).toBeVisible();
  await expect.poll(() => plays(app)).toBe(true);
  await expect(recorder(app).getByRole("status").filter({ hasText: "Saved." })).toHaveCount(1);
  await resume(app).click();
  await expect.poll(() => plays(app)).toBe(false);
  await discard(app);
});

test("who chose that goes on hearing it, quietly while they record", async ({ app, hark }) => {
  await app.goto(`${hark.url}/settings`);
  const quietly = app.getByRole("switch", { name: /Lower playback while recording/ });
  await quietly.click();
  await expect(quietly).toBeChecked();
  await withMessage(app, hark, "Quietly");
  await play(app);
  await expect.poll(() => plays(app)).toBe(true);
  expect(await loudness(app)).toBe(1);
  await record(app).click();
  await expect.poll(() => loudness(app)).toBeLessThan(0.3);
  expect(await plays(app)).toBe(true);
  await recorder(app).getByRole("button", { name: "Pause" }).click();
  await expect.poll(() => loudness(app)).toBe(1);
  await discard(app);
});
