/*
 * Speaking into a conversation as people do it: with a voice in the microphone,
 * over a good connection, a bad one and none, and in a tab that is killed.
 */
import type { BrowserContext, Page } from "@playwright/test";

import { expect, signIn, test, watch, wordsOf } from "./app";
import type { Hark } from "./hark";
import { at, jumpedTo, listenIn } from "./sound";
import { draftsOf, enter, expectWhole, messages, onDevice, only, pause, pausedLength, pending, record, recorder, recordLive, safeOnDevice, send, sendWhole, spoken } from "./speaking";
import { countCaptured, isSteady, shareCaptured, spokenSeconds, spokenText, steadily, wordErrorRate } from "./speech";

const card = (page: Page) => page.getByRole("article");

/** Says all there is to say into a conversation of its own. */
async function speak(page: Page, hark: Hark): Promise<{ conversation: string; share: number }> {
  const conversation = await enter(page, hark, "Spoken");
  await recordLive(page, hark, conversation);
  await spoken(page, spokenSeconds() + 1);
  const share = await shareCaptured(page);
  if (isSteady(share)) await expect(recorder(page).getByRole("group", { name: "Live captions" })).toContainText(/mute|telemarketer/i, { timeout: 60_000 }); // a machine that falls behind drops some
  await send(page);
  await expect(recorder(page)).toBeHidden();
  return { conversation, share };
}

test("one press and you speak: captions, sent, found by a word, heard from there", async ({ app, hark }) => {
  await countCaptured(app);
  await listenIn(app);
  const { spoken: { conversation }, steady } = await steadily(() => speak(app, hark), ({ share }) => share);
  const message = await only(hark, conversation);
  await expect(card(app).getByRole("link", { name: /mute/i })).toBeVisible({ timeout: 20_000 });
  const heard = await hark.transcript(message.id);
  const rate = wordErrorRate(spokenText(), heard);
  console.log(`      word error rate ${(rate * 100).toFixed(1)} %`);
  if (steady) expect(rate, heard).toBeLessThanOrEqual(0.05);
  await expect.poll(() => onDevice(app)).toBe(0); // the live recording was whole: no copy is left
  await expect(record(app)).toBeFocused();

  await app.goto(`${hark.url}/search?q=representatives&conversation=${conversation}`);
  await app.locator("#hit-0").click();
  const said = (await wordsOf(hark, message.id)).find((word) => /representatives/i.test(word.text))!.start_ms / 1000;
  await jumpedTo(app, said, 2);
  await expect.poll(() => at(app)).toBeGreaterThan(said + 0.5);
});

test("pause, listen, cut the last bit, go on, give a title: what was cut nobody hears", async ({ app, hark }) => {
  const conversation = await enter(app, hark, "Paused");
  await record(app).click();
  await spoken(app, 8);
  await pause(app);
  await expect(recorder(app).getByText(/No one has heard it yet/).last()).toBeVisible();
  await app.waitForTimeout(2000); // what is said now is not in it

  await recorder(app).getByRole("button", { name: "Listen" }).click();
  await expect.poll(() => recorder(app).getByRole("slider", { name: "Position in the recording" }).inputValue().then(Number), { intervals: [100] }).toBeGreaterThan(500);
  await recorder(app).getByRole("button", { name: "Pause", exact: true }).click();
  await recorder(app).getByRole("slider").fill("5000");
  await recorder(app).getByRole("button", { name: "Trim from here" }).click();
  await expect(recorder(app).getByText("0:05", { exact: true })).toBeVisible();
  await expect.poll(() => messages(hark, conversation)).toEqual([]); // not on the server either

  await recorder(app).getByRole("button", { name: "Resume" }).click();
  await spoken(app, 8);
  await app.keyboard.press("r");
  const length = await pausedLength(app);
  await recorder(app).getByRole("textbox", { name: "Title" }).fill("With a cut");
  await app.keyboard.press("Enter");
  const message = await only(hark, conversation);
  expect(message.title).toBe("With a cut");
  expectWhole(message.duration_ms, length);
  await expect(card(app)).toHaveCount(1);
});

test("start again, and throw away: nothing stays, here or there", async ({ app, hark }) => {
  const conversation = await enter(app, hark, "Again");
  await recordLive(app, hark, conversation);
  await spoken(app, 3);
  const [first, ...others] = await draftsOf(hark, conversation);
  expect(others).toEqual([]);
  await app.keyboard.press(" ");
  await recorder(app).getByRole("button", { name: "Start over" }).click();
  const anew = app.waitForFunction(() => /^0:0[0-2]$/.test(document.querySelector("[role=timer]")?.textContent ?? "")); // looked for in each frame, as it passes
  await app.getByRole("dialog").getByRole("button", { name: "Start over" }).click();
  await anew;
  await expect.poll(async () => (await draftsOf(hark, conversation)).map(({ id }) => id)).not.toContain(first!.id);
  await spoken(app, 1);
  await app.keyboard.press("Escape");
  await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(record(app)).toBeVisible();
  await expect.poll(() => draftsOf(hark, conversation)).toEqual([]);
  await expect.poll(() => onDevice(app)).toBe(0);
});

test("one right after the other: each is there, once, and none comes back as a draft", async ({ app, hark }) => {
  const conversation = await enter(app, hark, "One after the other");
  for (const seconds of [2, 1, 2]) {
    await app.keyboard.press("r");
    await spoken(app, seconds);
    await recorder(app).getByRole("button", { name: "Send" }).dblclick();
  }
  await expect.poll(async () => (await messages(hark, conversation)).length, { timeout: 60_000 }).toBe(3);
  await expect.poll(() => onDevice(app), { timeout: 30_000 }).toBe(0);
  await app.goto(`${hark.url}/settings`);
  await app.goBack();
  await expect(card(app)).toHaveCount(3);
  await expect.poll(() => draftsOf(hark, conversation)).toEqual([]);
  await expect(pending(app)).toBeHidden();
});

for (const [how, block] of Object.entries({
  "the offer is refused": (page: Page) => page.route("**/whip?*", (route) => route.abort()),
  "the offer is answered by nobody": (page: Page) => page.route("**/whip?*", () => {}),
  "no packet comes through": (page: Page) =>
    page.route("**/whip?*", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replace(/^(a=candidate:.*? \d+ \w+ \d+ )\S+ \d+/gm, "$1127.0.0.1 9") });
    }),
})) {
  test(`WebRTC is blocked, as ${how}: nothing is lost`, async ({ app, hark }) => {
    const conversation = await enter(app, hark, `Blocked, ${how}`);
    if (how === "no packet comes through") await app.route("**/v1/whip/*", (route) => (route.request().method() === "PATCH" ? route.abort() : route.fallback()));
    await block(app);
    await record(app).click();
    await expect(recorder(app).getByText(/Saved on this device/)).toBeVisible({ timeout: 10_000 });
    await spoken(app, 9);
    const message = await sendWhole(app, hark, conversation);
    expect(await hark.transcript(message.id)).toMatch(/mute/i);
    await expect.poll(() => onDevice(app)).toBe(0);
  });
}

/** Opens the app in a page of a context that is signed in. */
async function reopen(context: BrowserContext, hark: Hark, conversation: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${hark.url}/c/${conversation}`);
  return page;
}

test("the server is gone in mid-recording and the tab is killed: reopened, it is a draft, and is sent once", async ({ context, hark }) => {
  const page = await context.newPage();
  await signIn(page, hark.signInAddress());
  const conversation = await enter(page, hark, "Tunnel");
  await recordLive(page, hark, conversation);
  await spoken(page, 5);
  hark.freeze();
  await expect(recorder(page).getByText(/Saved on this device/)).toBeVisible({ timeout: 20_000 });
  await safeOnDevice(page, 12);
  await page.close(); // as a killed tab: nothing runs any more
  hark.thaw();

  const again = await reopen(context, hark, conversation);
  const wrong = watch(again);
  await pending(again).getByRole("button", { name: "Send" }).click({ timeout: 20_000 });
  const message = await only(hark, conversation);
  expect(message.duration_ms).toBeGreaterThan(11_500);
  expect(await hark.transcript(message.id)).toMatch(/mute/i);
  await expect.poll(() => onDevice(again)).toBe(0);
  await expect(card(again)).toHaveCount(1);
  expect(wrong).toEqual([]);
});

test("offline: it waits on this device, says so, and goes out when the network is back", async ({ app, context, hark }) => {
  const conversation = await enter(app, hark, "Offline");
  await context.setOffline(true);
  await record(app).click();
  await spoken(app, 4);
  await send(app);
  await expect(pending(app).getByText(/Waiting for a connection/)).toBeVisible({ timeout: 15_000 });
  await context.setOffline(false);
  const message = await only(hark, conversation);
  expect(message.duration_ms).toBeGreaterThan(3500);
  await expect(pending(app)).toBeHidden();
});

test("a draft whose page goes away is not sent, and is there again", async ({ context, hark }) => {
  const page = await context.newPage();
  await signIn(page, hark.signInAddress());
  const conversation = await enter(page, hark, "Draft");
  await record(page).click();
  await spoken(page, 4);
  const length = await pause(page);
  await expect(recorder(page).getByText(/No one has heard it yet/).last()).toBeVisible();
  page.on("dialog", (dialog) => void dialog.accept());
  await page.close({ runBeforeUnload: true });
  await expect.poll(() => context.pages().length).toBe(0);
  const again = await reopen(context, hark, conversation);
  await expect(pending(again).getByText(/^Draft\. Only/)).toBeVisible();
  await expect.poll(() => messages(hark, conversation)).toEqual([]);
  await pending(again).getByRole("button", { name: "Send" }).click();
  const message = await only(hark, conversation);
  expectWhole(message.duration_ms, length);
  await expect(pending(again)).toBeHidden();
});
