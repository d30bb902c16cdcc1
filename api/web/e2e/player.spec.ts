/* The player, as people use it: each thing it promises, heard or seen in the page. */
import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { signIn, watch, wordsOf } from "./app";
import { pointIn } from "./finger";
import { Hark } from "./hark";
import { expect, test } from "./listening";
import { Recogniser } from "./recogniser";
import { at, ended, jumpedTo, jumps, listenIn, sound } from "./sound";
import { lasting, prompt, withPause } from "./speech";
import { tone } from "./wav";

const bar = (page: Page) => page.getByRole("region", { name: "Player" });
const reader = (page: Page) => page.locator("div.reader");
const playing = (page: Page, what: string) => bar(page).getByRole("button", { name: `Pause ${what}` });
const resting = (page: Page, what: string) => bar(page).getByRole("button", { name: `Play ${what}` });

test("speed keeps the pitch, and is remembered", async ({ app, hark }) => {
  const conversation = await hark.conversation("Speed");
  await hark.ready((await hark.send(conversation, tone(90), { title: "Fast" })).id);
  await app.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play Fast" }).first().click();
  await expect(playing(app, "Fast")).toBeVisible();
  for (let i = 0; i < 3; i++) await app.keyboard.press(">");
  await expect.poll(() => sound(app)).toMatchObject({ rate: 1.75, preservesPitch: true });
  await bar(app).getByRole("button", { name: /Playback options/ }).click();
  const slider = app.getByRole("slider", { name: /Speed/ });
  await slider.fill("0.5");
  expect(await sound(app)).toMatchObject({ rate: 0.5, preservesPitch: true });
  await slider.fill("3");
  expect(await sound(app)).toMatchObject({ rate: 3, preservesPitch: true });

  await app.reload();
  await app.getByRole("button", { name: "Play Fast" }).first().click();
  await expect.poll(() => sound(app)).toMatchObject({ paused: false, rate: 3, preservesPitch: true });
});

test("media keys and the lock screen", async ({ app, hark }) => {
  const conversation = await hark.conversation("Lock screen");
  for (const title of ["One", "Two"]) await hark.ready((await hark.send(conversation, tone(60), { title })).id);
  await app.addInitScript(() => {
    const handlers: Record<string, (details: object) => void> = {};
    const told: { position?: MediaPositionState } = {};
    Object.assign(window, { handlers, told });
    const session = navigator.mediaSession;
    session.setActionHandler = (action, handler) => void (handlers[action] = handler as (details: object) => void);
    const say = session.setPositionState.bind(session);
    session.setPositionState = (state) => ((told.position = state), say(state));
  });
  await app.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play One" }).first().click();
  await expect(playing(app, "One")).toBeVisible();
  const act = (name: string, details: object = {}) =>
    app.evaluate(([action, more]) => (window as unknown as { handlers: Record<string, (details: object) => void> }).handlers[action]!(more), [name, details] as const);
  const shown = () =>
    app.evaluate(() => {
      const { metadata, playbackState } = navigator.mediaSession;
      return { title: metadata?.title, artist: metadata?.artist, album: metadata?.album, state: playbackState, position: (window as unknown as { told: { position: MediaPositionState } }).told.position };
    });
  await expect.poll(shown).toMatchObject({ title: "One", artist: "Owner", album: "Lock screen", state: "playing" });
  await act("pause");
  await expect.poll(shown).toMatchObject({ state: "paused" });
  expect((await sound(app)).paused).toBe(true);
  await act("seekto", { seekTime: 2 });
  await expect.poll(() => at(app)).toBeCloseTo(2, 1);
  await act("seekforward", {});
  const length = (await sound(app)).length;
  await expect.poll(() => at(app)).toBeCloseTo(7, 1);
  await act("seekbackward", { seekOffset: 10 });
  await expect.poll(() => at(app)).toBe(0);
  await act("seekto", { seekTime: 1 });
  await act("play");
  await expect(playing(app, "One")).toBeVisible();
  await expect.poll(async () => (await shown()).position.position).toBeGreaterThanOrEqual(1);
  expect((await shown()).position.duration).toBeCloseTo(length, 0);
  await act("nexttrack");
  await expect(playing(app, "Two")).toBeVisible();
  await expect.poll(shown).toMatchObject({ title: "Two", state: "playing" });
  await act("pause"); // further on it would begin Two again
  await act("seekto", { seekTime: 0 });
  await act("previoustrack");
  await expect(playing(app, "One")).toBeVisible();
  await bar(app).getByRole("button", { name: "Close player" }).click();
  await expect.poll(shown).toMatchObject({ title: undefined, state: "none" });
});

for (const by of ["words", "the waveform"] as const) {
  test(`silence is skipped by ${by}`, async ({ app, hark }) => {
    const conversation = await hark.conversation(`Pauses by ${by}`);
    const { id } = await hark.send(conversation, withPause(), { title: "Pauses" });
    await hark.ready(id);
    const words = await wordsOf(hark, id);
    const gaps = words.slice(1).map((word, i) => ({ from: words[i]!.end_ms / 1000, to: word.start_ms / 1000 }));
    const gap = gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0]!;
    expect(gap.to - gap.from).toBeGreaterThan(4);
    // Without its words, it is as if they were not there yet.
    if (by === "the waveform") await app.route("**/transcript.json", (route) => route.abort());
    await app.goto(`${hark.url}/c/${conversation}`);
    await app.getByRole("button", { name: "Play Pauses" }).first().click();
    await bar(app).getByRole("button", { name: "Pause Pauses" }).click();
    await bar(app).getByRole("button", { name: /Playback options/ }).click();
    await app.getByText("Skip silence").click();
    await app.keyboard.press("Escape");
    // From its beginning, whatever went past meanwhile.
    await bar(app).getByRole("slider").first().press("Home");
    await expect.poll(() => at(app)).toBe(0);
    await jumps(app);
    await resting(app, "Pauses").click();
    await expect.poll(() => at(app), { timeout: 30_000 }).toBeGreaterThan(gap.to);
    const over = (await jumps(app)).find(([from, to]) => to - from > 2);
    expect(over).toBeDefined();
    const [from, to] = over!;
    // No word is lost, and most of the silence is.
    expect(from).toBeGreaterThan(gap.from - 0.3);
    expect(to).toBeLessThan(gap.to + 0.1);
    expect(gap.to - to).toBeLessThan(1);
  });
}

test("where one left off is where it goes on, another day", async ({ app, hark }) => {
  const conversation = await hark.conversation("Later");
  const { id } = await hark.send(conversation, withPause(), { title: "Later" });
  await hark.ready(id);
  await app.goto(`${hark.url}/m/${id}`);
  await reader(app).getByRole("button", { name: "Play Later" }).click();
  await expect(playing(app, "Later")).toBeVisible();
  await reader(app).getByRole("slider").press("ArrowRight");
  await expect.poll(() => at(app)).toBeGreaterThan(5.5);
  await app.evaluate(() => addEventListener("pagehide", () => sessionStorage.setItem("left", String((window as unknown as { sound: HTMLAudioElement }).sound.currentTime))));
  await app.reload(); // in the middle of playing
  const left = await app.evaluate(() => Number(sessionStorage.getItem("left")));
  expect(left).toBeGreaterThan(5.5);
  await expect.poll(() => at(app)).toBeCloseTo(left, 0);
  // The address of a moment wins.
  await app.goto(`${hark.url}/m/${id}?t=1000`);
  await expect.poll(() => at(app)).toBeCloseTo(1, 1);
  expect((await sound(app)).paused).toBe(true);
});

test("at the end, a word that is pressed plays from there", async ({ app, hark }) => {
  const conversation = await hark.conversation("At its end");
  const { id } = await hark.send(conversation, withPause(), { title: "Heard out" });
  await hark.ready(id);
  const words = await wordsOf(hark, id);
  const early = 2;
  await app.goto(`${hark.url}/m/${id}`);
  await app.locator(`[data-w="${words.length - 1}"]`).click();
  await ended(app);
  await expect(resting(app, "Heard out")).toBeVisible();
  await jumps(app);
  await app.locator(`[data-w="${early}"]`).click();
  await expect(playing(app, "Heard out")).toBeVisible();
  await jumpedTo(app, words[early]!.start_ms / 1000, 0.1);
});

test("the next message plays by itself, known or not", async ({ app, hark }) => {
  const conversation = await hark.conversation("By itself");
  const first = await hark.send(conversation, tone(0.3), { title: "Tiny" });
  for (const sent of [first, await hark.send(conversation, tone(60), { title: "After" })]) await hark.ready(sent.id);
  // Where there is no room for the conversation, its messages are not known.
  await app.setViewportSize({ width: 390, height: 800 });
  await app.goto(`${hark.url}/m/${first.id}`);
  await reader(app).getByRole("button", { name: "Play Tiny" }).click();
  await expect(playing(app, "After")).toBeVisible();
  await bar(app).getByRole("button", { name: /^Open player/ }).click();
  await app.getByRole("button", { name: /Playback options/ }).click();
  await app.getByText("Autoplay next").click();
  await app.keyboard.press("Escape");
  await app.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play Tiny" }).first().click();
  await ended(app);
  await expect(resting(app, "Tiny")).toBeVisible();
});

test("selected words become a link to their moment, or a quote", async ({ app, hark, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write", "microphone"]);
  const conversation = await hark.conversation("Quotes");
  const { id } = await hark.send(conversation, lasting("tt-allbusy"), { title: "To quote" });
  await hark.ready(id);
  const words = await wordsOf(hark, id);
  await app.goto(`${hark.url}/m/${id}`);
  const word = (index: number) => app.locator(`[data-w="${index}"]`);
  const select = async (from: number, to: number) => {
    const [begin, end] = [await pointIn(word(from), 0.05), await pointIn(word(to), 0.95)];
    await app.mouse.move(begin.x, begin.y);
    await app.mouse.down();
    await app.mouse.move(end.x, end.y, { steps: 5 });
    await app.mouse.up();
    await expect(app.getByRole("toolbar", { name: "Selected text" })).toBeVisible();
  };
  const clipboard = () => app.evaluate(() => navigator.clipboard.readText());
  const aim = 3;
  await expect(word(aim)).toBeVisible();
  await select(aim, aim + 2);
  expect((await sound(app)).paused).toBe(true); // to select is not to press a word
  await app.getByRole("button", { name: "Copy quote" }).click();
  const moment = `${hark.url}/m/${id}?t=${words[aim]!.start_ms}`;
  await expect.poll(clipboard).toContain(`— Owner, ${moment}`);
  expect(await clipboard()).toContain(words.slice(aim, aim + 3).map(({ text }) => text).join(" "));

  await select(aim, aim + 1);
  await app.getByRole("button", { name: "Copy link", exact: true }).click();
  await expect.poll(clipboard).toBe(moment);
  await app.goto(await clipboard());
  await expect(app.locator(".said")).toHaveText(words[aim]!.text);
  await expect.poll(() => at(app)).toBeCloseTo(words[aim]!.start_ms / 1000, 1);
  // A word alone plays from it.
  await word(aim + 2).click();
  await expect.poll(() => sound(app)).toMatchObject({ paused: false });
  expect(await at(app)).toBeGreaterThanOrEqual(words[aim + 2]!.start_ms / 1000 - 0.05);
});

test("downloads are what they say", async ({ app, hark }) => {
  const conversation = await hark.conversation("Downloads");
  const file = prompt("tt-allbusy");
  const { id } = await hark.send(conversation, file, { title: "Take away", filename: "busy.wav" });
  await hark.ready(id);
  await expect.poll(async () => (await hark.json<{ rendition?: object }>(`/v1/messages/${id}`)).rendition).toBeTruthy();
  await app.goto(`${hark.url}/m/${id}`);
  const download = async (name: string) => {
    const [got] = await Promise.all([app.waitForEvent("download"), app.getByRole("dialog", { name: "Download" }).getByRole("link", { name }).click()]);
    return { name: got.suggestedFilename(), body: readFileSync(await got.path()) };
  };
  await app.locator("div.reader").getByRole("button", { name: "Message menu" }).click();
  await app.getByRole("menuitem", { name: /Download/ }).click(); // one, whatever there is
  const rendition = await download("Audio");
  expect(rendition.name).toBe("busy.m4a");
  expect(rendition.body.subarray(4, 8).toString()).toBe("ftyp");
  const original = await download("Original");
  expect(original.name).toBe("busy.wav");
  expect(original.body.equals(readFileSync(file))).toBe(true);
  const text = await download("Text");
  expect(text.name).toMatch(/\.txt$/);
  expect(text.body.toString()).toMatch(/telemarketer/i);
  const vtt = await download("Subtitles (VTT)");
  expect(vtt.name).toMatch(/\.vtt$/);
  expect(vtt.body.toString()).toMatch(/^WEBVTT\n[^]*00:00[.:\d]* --> [^]*telemarketer/i);
  const srt = await download("Subtitles (SRT)");
  expect(srt.name).toMatch(/\.srt$/);
  expect(srt.body.toString()).toMatch(/^1\r?\n00:00:00,\d{3} --> [^]*telemarketer/i);
});

test("it plays while the work goes on, and shows it", async ({ page }) => {
  const recogniser = await Recogniser.start();
  const hark = await Hark.start(recogniser.settings);
  const wrong = watch(page);
  await listenIn(page);
  await signIn(page, hark.signInAddress());
  const conversation = await hark.conversation("Work");
  const { id } = await hark.send(conversation, withPause(90), { title: "In work" });
  await page.goto(`${hark.url}/m/${id}`);
  await expect(reader(page).getByRole("progressbar")).toBeVisible();
  await expect(page.getByText("The transcript appears here")).toBeVisible();
  await reader(page).getByRole("button", { name: "Play In work" }).click();
  await expect.poll(() => at(page)).toBeGreaterThan(0.5);
  await reader(page).getByRole("slider").press("ArrowRight");
  await expect.poll(() => at(page)).toBeGreaterThan(5.5);
  recogniser.finish();
  await expect(page.locator("[data-w='2']")).toHaveText("good");
  await expect(reader(page).getByRole("progressbar")).toHaveCount(0);
  expect(await sound(page)).toMatchObject({ paused: false });
  expect(await at(page)).toBeGreaterThan(5.5);
  expect(wrong).toEqual([]);
  await hark.stop();
  recogniser.stop();
});

test("when the sound stays away it says what to do, and goes on from there", async ({ app, hark }) => {
  const conversation = await hark.conversation("Tunnel");
  const { id } = await hark.send(conversation, withPause(90), { title: "Tunnel" });
  await hark.ready(id);
  await app.goto(`${hark.url}/m/${id}?t=2000`);
  await expect(app.locator(".said")).toBeVisible();
  await app.route("**/audio?*", (route) => route.abort());
  await app.goto(`${hark.url}/m/${id}?t=4000`);
  await reader(app).getByRole("button", { name: "Play Tunnel" }).click();
  await expect(bar(app).getByText("Check your connection and press play")).toBeVisible();
  await app.unroute("**/audio?*");
  await reader(app).getByRole("button", { name: "Play Tunnel" }).click();
  await expect.poll(() => at(app)).toBeGreaterThanOrEqual(4);
  await expect(bar(app).getByText("Check your connection")).toHaveCount(0);
  await expect.poll(() => sound(app)).toMatchObject({ paused: false });

  // Somebody deletes it while it plays.
  await fetch(`${hark.url}/v1/messages/${id}`, { method: "DELETE", headers: { Authorization: `Bearer ${hark.token}` } });
  await expect(bar(app).getByText("no longer available")).toBeVisible();
  expect((await sound(app)).paused).toBe(true);
  await expect(app.getByRole("heading", { name: "Message not found" })).toBeVisible();
});

test("of two tabs one plays", async ({ app, hark, context }) => {
  const conversation = await hark.conversation("Tabs");
  await hark.ready((await hark.send(conversation, tone(90), { title: "Tab" })).id);
  const other = await context.newPage();
  for (const page of [app, other]) await page.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play Tab" }).first().click();
  await expect(playing(app, "Tab")).toBeVisible();
  await other.getByRole("button", { name: "Play Tab" }).first().click();
  await expect(playing(other, "Tab")).toBeVisible();
  await expect(resting(app, "Tab")).toBeVisible();
});
