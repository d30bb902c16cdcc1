/*
 * Speaking into a conversation as people do it: with a voice in the microphone,
 * over a good connection, a bad one and none, and in a tab that is killed.
 */
import type { BrowserContext, Page } from "@playwright/test";

import { expect, playerClock, signIn, test, watch } from "./app";
import type { Hark, Message } from "./hark";
import { spokenSeconds, spokenText, wordErrorRate } from "./speech";

const messages = async (hark: Hark, conversation: string) => (await hark.json<{ items: (Message & { title: string })[] }>(`/v1/conversations/${conversation}/messages`)).items;
const recorder = (page: Page) => page.getByRole("region", { name: "Recording" });
const record = (page: Page) => page.getByRole("button", { name: "Record", exact: true });
const pending = (page: Page) => page.getByRole("region", { name: "Not sent yet" });
const card = (page: Page) => page.getByRole("article");

/** Waits until a conversation has this one message, made of all it can be. */
async function only(hark: Hark, conversation: string): Promise<Message & { title: string }> {
  await expect.poll(async () => (await messages(hark, conversation)).map((m) => m.state), { timeout: 60_000 }).toEqual(["ready"]);
  return (await messages(hark, conversation))[0]!;
}

/** How many recordings this browser keeps. */
const onDevice = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const open = indexedDB.open("hark");
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const count = open.result.transaction("items").objectStore("items").count();
          count.onsuccess = () => (open.result.close(), resolve(count.result));
        };
      }),
  );

test("one press and you speak: captions, sent, found by a word, heard from there", async ({ app, hark }) => {
  const conversation = await hark.conversation("Spoken");
  await app.goto(`${hark.url}/c/${conversation}`);
  await record(app).click();
  await expect(recorder(app).getByRole("timer")).toHaveText("0:01");
  await expect(recorder(app).getByText(/Safe on the server up to/)).toBeVisible();
  await expect(recorder(app).getByRole("group", { name: "What was heard so far" })).toContainText(/telemarketer/i, { timeout: 60_000 });
  const left = (await recorder(app).getByRole("timer").textContent())!.split(":").map(Number);
  await app.waitForTimeout(Math.max(0, spokenSeconds() - left[0]! * 60 - left[1]!) * 1000 + 1500);
  await recorder(app).getByRole("button", { name: "Send" }).click();

  await expect(recorder(app)).toBeHidden();
  await expect(card(app).getByRole("link", { name: /mute/i })).toBeVisible({ timeout: 20_000 });
  const message = await only(hark, conversation);
  const rate = wordErrorRate(spokenText(), await hark.transcript(message.id));
  console.log(`      word error rate ${(rate * 100).toFixed(1)} %`);
  expect(rate).toBeLessThan(0.15);
  await expect.poll(() => onDevice(app)).toBe(0); // the live recording was whole: no copy is left
  await expect(record(app)).toBeFocused();

  await app.goto(`${hark.url}/search?q=representatives`);
  await app.locator("#hit-0").click();
  const words = (await hark.json<{ segments: { words: { text: string; start_ms: number }[] }[] }>(`/v1/messages/${message.id}/transcript`)).segments.flatMap((s) => s.words);
  const said = words.find((word) => /representatives/i.test(word.text))!.start_ms / 1000;
  await expect.poll(() => playerClock(app)).toBeGreaterThan(said + 0.5);
  expect(await playerClock(app)).toBeLessThan(said + 6);
});

test("pause, listen, cut the last bit, go on, give a title: what was cut nobody hears", async ({ app, hark }) => {
  const conversation = await hark.conversation("Paused");
  await app.goto(`${hark.url}/c/${conversation}`);
  await record(app).click();
  await expect(recorder(app).getByRole("timer")).toHaveText("0:08", { timeout: 15_000 });
  await recorder(app).getByRole("button", { name: "Pause" }).click();
  await expect(recorder(app).getByText(/Nobody has heard it yet/).last()).toBeVisible();
  await app.waitForTimeout(2000); // what is said now is not in it

  await recorder(app).getByRole("button", { name: "Listen" }).click();
  await expect.poll(() => recorder(app).getByRole("slider", { name: "Place in the recording" }).inputValue().then(Number)).toBeGreaterThan(500);
  await recorder(app).getByRole("button", { name: "Pause", exact: true }).click();
  await recorder(app).getByRole("slider").fill("5000");
  await recorder(app).getByRole("button", { name: "Cut from here on" }).click();
  await expect(recorder(app).getByText("0:05", { exact: true })).toBeVisible();
  await expect.poll(() => messages(hark, conversation)).toEqual([]); // not on the server either

  await recorder(app).getByRole("button", { name: "Go on speaking" }).click();
  await expect(recorder(app).getByRole("timer")).toHaveText("0:08", { timeout: 10_000 });
  await app.keyboard.press("r");
  await recorder(app).getByRole("textbox", { name: "Title" }).fill("With a cut");
  await app.keyboard.press("Enter");
  const message = await only(hark, conversation);
  expect(message.title).toBe("With a cut");
  expect(Math.abs(message.duration_ms! - 8200)).toBeLessThan(900);
  await expect(card(app)).toHaveCount(1);
});

test("start again, and throw away: nothing stays, here or there", async ({ app, hark }) => {
  const conversation = await hark.conversation("Again");
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(record(app)).toBeVisible();
  await app.keyboard.press("r");
  await expect(recorder(app).getByRole("timer")).toHaveText("0:03", { timeout: 10_000 });
  await expect.poll(async () => (await messages(hark, conversation)).length).toBe(1);
  await app.keyboard.press(" ");
  await recorder(app).getByRole("button", { name: "Start again" }).click();
  await app.getByRole("dialog").getByRole("button", { name: "Start again" }).click();
  await expect(recorder(app).getByRole("timer")).toHaveText("0:01");
  await app.keyboard.press("Escape");
  await app.getByRole("dialog").getByRole("button", { name: "Throw away" }).click();
  await expect(record(app)).toBeVisible();
  await expect.poll(() => messages(hark, conversation)).toEqual([]);
  await expect.poll(() => onDevice(app)).toBe(0);
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
    const conversation = await hark.conversation(`Blocked, ${how}`);
    await app.goto(`${hark.url}/c/${conversation}`);
    await block(app);
    await record(app).click();
    await expect(recorder(app).getByText(/Safe on this device/)).toBeVisible({ timeout: 4000 });
    await expect(recorder(app).getByRole("timer")).toHaveText("0:14", { timeout: 20_000 });
    await recorder(app).getByRole("button", { name: "Send" }).click();
    const message = await only(hark, conversation);
    expect(message.duration_ms).toBeGreaterThan(13_500);
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

test("the server is gone in mid-recording and the tab is killed: reopened, it is sent, once", async ({ context, hark }) => {
  const conversation = await hark.conversation("Tunnel");
  const page = await context.newPage();
  await signIn(page, hark.signInAddress());
  await page.goto(`${hark.url}/c/${conversation}`);
  await record(page).click();
  await expect(recorder(page).getByText(/Safe on the server/)).toBeVisible();
  await expect(recorder(page).getByRole("timer")).toHaveText("0:05", { timeout: 10_000 });
  hark.freeze();
  await expect(recorder(page).getByText(/Safe on this device/)).toBeVisible({ timeout: 10_000 });
  await expect(recorder(page).getByRole("timer")).toHaveText("0:15", { timeout: 20_000 });
  await page.close(); // as a killed tab: nothing runs any more
  hark.thaw();

  const again = await reopen(context, hark, conversation);
  const wrong = watch(again);
  await expect(again.getByText(/before the page was closed/)).toBeVisible();
  const message = await only(hark, conversation);
  expect(message.duration_ms).toBeGreaterThan(14_000);
  expect(await hark.transcript(message.id)).toMatch(/mute/i);
  await expect.poll(() => onDevice(again)).toBe(0);
  await expect(card(again)).toHaveCount(1);
  expect(wrong).toEqual([]);
});

test("offline: it waits on this device, says so, and goes out when the network is back", async ({ app, context, hark }) => {
  const conversation = await hark.conversation("Offline");
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(record(app)).toBeVisible();
  await context.setOffline(true);
  await record(app).click();
  await expect(recorder(app).getByRole("timer")).toHaveText("0:04", { timeout: 10_000 });
  await recorder(app).getByRole("button", { name: "Send" }).click();
  await expect(pending(app).getByText(/Waits for the connection/)).toBeVisible({ timeout: 15_000 });
  await context.setOffline(false);
  const message = await only(hark, conversation);
  expect(message.duration_ms).toBeGreaterThan(3500);
  await expect(pending(app)).toBeHidden();
});

test("a draft whose page goes away is not sent, and is there again", async ({ context, hark }) => {
  const conversation = await hark.conversation("Draft");
  const page = await context.newPage();
  await signIn(page, hark.signInAddress());
  await page.goto(`${hark.url}/c/${conversation}`);
  await record(page).click();
  await expect(recorder(page).getByRole("timer")).toHaveText("0:04", { timeout: 10_000 });
  await recorder(page).getByRole("button", { name: "Pause" }).click();
  await expect(recorder(page).getByText(/Nobody has heard it yet/).last()).toBeVisible();
  page.on("dialog", (dialog) => void dialog.accept());
  await page.close({ runBeforeUnload: true });
  await expect.poll(() => context.pages().length).toBe(0);
  const again = await reopen(context, hark, conversation);
  await expect(pending(again).getByText("Not sent. Only on this device.")).toBeVisible();
  await expect.poll(() => messages(hark, conversation)).toEqual([]);
  await pending(again).getByRole("button", { name: "Send" }).click();
  const message = await only(hark, conversation);
  expect(Math.abs(message.duration_ms! - 4200)).toBeLessThan(900);
  await expect(pending(again)).toBeHidden();
});
