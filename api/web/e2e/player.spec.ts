/* The player, as people use it: each thing it promises, heard or seen in the page. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { expect, signIn, test as base, watch, wordsOf } from "./app";
import { Hark } from "./hark";
import { Recogniser } from "./recogniser";
import { at, jumps, listenIn, sound } from "./sound";
import { cache, prompt } from "./speech";

const test = base.extend<{ app: Page }>({
  app: async ({ page, hark }, use) => {
    const wrong = watch(page);
    await listenIn(page);
    await signIn(page, hark.signInAddress());
    await use(page);
    expect(wrong).toEqual([]);
  },
});

const bar = (page: Page) => page.getByRole("region", { name: "Player" });
const reader = (page: Page) => page.locator("div.reader");
const playing = (page: Page, what: string) => bar(page).getByRole("button", { name: `Pause ${what}` });
const resting = (page: Page, what: string) => bar(page).getByRole("button", { name: `Play ${what}` });

/** A prompt, six seconds of silence, and another: a WAV of both with a long pause. */
function withPause(): string {
  const file = join(cache, "pause.wav");
  execFileSync("ffmpeg", [
    "-nostdin", "-v", "error", "-y", "-i", prompt("vm-record-prepend"), "-i", prompt("tt-allbusy"),
    "-filter_complex", "[0]aresample=16000,apad=pad_dur=6[a];[1]aresample=16000[b];[a][b]concat=n=2:v=0:a=1", "-ac", "1", file,
  ]);
  return file;
}

test("speed keeps the pitch, and is remembered", async ({ app, hark }) => {
  const conversation = await hark.conversation("Speed");
  await hark.ready((await hark.send(conversation, prompt("tt-allbusy"), { title: "Fast" })).id);
  await app.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play Fast" }).first().click();
  await expect(playing(app, "Fast")).toBeVisible();
  for (let i = 0; i < 3; i++) await app.keyboard.press(">");
  await expect.poll(() => sound(app)).toMatchObject({ rate: 1.75, preservesPitch: true });
  await bar(app).getByRole("button", { name: /Speed and silence/ }).click();
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
  for (const title of ["One", "Two"]) await hark.ready((await hark.send(conversation, prompt("tt-allbusy"), { title })).id);
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
  await expect.poll(() => at(app)).toBeCloseTo(Math.min(7, length), 1);
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
    await bar(app).getByRole("button", { name: /Speed and silence/ }).click();
    await app.getByText("Skip silence").click();
    await app.keyboard.press("Escape");
    await bar(app).getByRole("slider").first().focus();
    await app.keyboard.press("Home");
    await jumps(app);
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
  const left = await at(app);
  await app.reload(); // in the middle of playing
  await expect.poll(() => at(app)).toBeGreaterThan(left - 0.5);
  expect(await at(app)).toBeLessThan(left + 3);
  // The address of a moment wins.
  await app.goto(`${hark.url}/m/${id}?t=1000`);
  await expect.poll(() => at(app)).toBeCloseTo(1, 1);
  expect((await sound(app)).paused).toBe(true);
});

test("the next message plays by itself, known or not", async ({ app, hark }) => {
  const conversation = await hark.conversation("By itself");
  const tiny = join(cache, "tiny.wav");
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=440:duration=0.3", tiny]);
  const first = await hark.send(conversation, tiny, { title: "Tiny" });
  for (const sent of [first, await hark.send(conversation, prompt("tt-allbusy"), { title: "After" })]) await hark.ready(sent.id);
  // Where there is no room for the conversation, its messages are not known.
  await app.setViewportSize({ width: 390, height: 800 });
  await app.goto(`${hark.url}/m/${first.id}`);
  await reader(app).getByRole("button", { name: "Play Tiny" }).click();
  await expect(playing(app, "After")).toBeVisible();
  await bar(app).getByRole("button", { name: /Speed and silence/ }).click();
  await app.getByText("Go on with the next message").click();
  await app.keyboard.press("Escape");
  await app.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play Tiny" }).first().click();
  await expect(playing(app, "Tiny")).toBeVisible();
  await expect(resting(app, "Tiny")).toBeVisible();
});

test("selected words become a link to their moment, or a quote", async ({ app, hark, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write", "microphone"]);
  const conversation = await hark.conversation("Quotes");
  const { id } = await hark.send(conversation, prompt("tt-allbusy"), { title: "To quote" });
  await hark.ready(id);
  const words = await wordsOf(hark, id);
  await app.goto(`${hark.url}/m/${id}`);
  const word = (index: number) => app.locator(`[data-w="${index}"]`);
  const select = async (from: number, to: number) => {
    const [begin, end] = [(await word(from).boundingBox())!, (await word(to).boundingBox())!];
    await app.mouse.move(begin.x + 1, begin.y + begin.height / 2);
    await app.mouse.down();
    await app.mouse.move(end.x + end.width - 1, end.y + end.height / 2, { steps: 5 });
    await app.mouse.up();
    await expect(app.getByRole("toolbar", { name: "What is selected" })).toBeVisible();
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
  await expect.poll(async () => (await hark.json<{ rendition?: object }>(`/v1/messages/${id}`)).rendition).toBeDefined();
  await app.goto(`${hark.url}/m/${id}`);
  const download = async (name: string) => {
    await app.locator("div.reader").getByRole("button", { name: "Message menu" }).click();
    const [got] = await Promise.all([app.waitForEvent("download"), app.getByRole("menuitem", { name: `Download: ${name}` }).click()]);
    return { name: got.suggestedFilename(), body: readFileSync(await got.path()) };
  };
  const rendition = await download("Sound");
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
  const { id } = await hark.send(conversation, withPause(), { title: "In work" });
  await page.goto(`${hark.url}/m/${id}`);
  await expect(reader(page).getByRole("progressbar")).toBeVisible();
  await expect(page.getByText("The words appear here")).toBeVisible();
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
  const { id } = await hark.send(conversation, withPause(), { title: "Tunnel" });
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
  await expect(bar(app).getByText("not here any more")).toBeVisible();
  expect((await sound(app)).paused).toBe(true);
  await expect(app.getByRole("heading", { name: "No such message" })).toBeVisible();
});

test("of two tabs one plays", async ({ app, hark, context }) => {
  const conversation = await hark.conversation("Tabs");
  await hark.ready((await hark.send(conversation, withPause(), { title: "Tab" })).id);
  const other = await context.newPage();
  for (const page of [app, other]) await page.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Play Tab" }).first().click();
  await expect(playing(app, "Tab")).toBeVisible();
  await other.getByRole("button", { name: "Play Tab" }).first().click();
  await expect(playing(other, "Tab")).toBeVisible();
  await expect(resting(app, "Tab")).toBeVisible();
});
