/* Messages in their conversation and the player: waveforms that seek, the one that plays, and what is hard for players. */
import type { Page } from "@playwright/test";

import { atRest, Finger, pointIn } from "./finger";
import type { Hark } from "./hark";
import { expect, test } from "./listening";
import { at, jumpedTo, jumps, sound } from "./sound";
import { tone } from "./wav";

const bar = (page: Page) => page.getByRole("region", { name: "Player" });
const card = (page: Page, title: string) => page.getByRole("article", { name: new RegExp(`: ${title},`) });
const wave = (page: Page, title: string) => card(page, title).getByRole("slider");
const playing = (page: Page, title: string) => expect(bar(page).getByRole("button", { name: `Pause ${title}`, exact: true })).toBeVisible();

async function messages(hark: Hark, name: string, lengths: number[]) {
  const conversation = await hark.conversation(name);
  for (const [i, seconds] of lengths.entries()) await hark.ready((await hark.send(conversation, tone(seconds), { title: `${name} ${i + 1}` })).id);
  return `${hark.url}/c/${conversation}`;
}

test("the waveform of a card seeks, also of one that does not play", async ({ app, hark }) => {
  await app.goto(await messages(hark, "Wave", [120, 80]));
  const half = await pointIn(wave(app, "Wave 1"));
  await app.mouse.click(half.x, half.y);
  await playing(app, "Wave 1");
  await jumpedTo(app, 60, 1);
  // Dragged, it goes where it is let go, and plays on. The player came, and may have moved it.
  const again = await pointIn(wave(app, "Wave 1"));
  await app.mouse.move(again.x, again.y);
  await app.mouse.down();
  const quarter = await pointIn(wave(app, "Wave 1"), 0.25);
  await app.mouse.move(quarter.x, quarter.y + 30, { steps: 4 });
  await expect(wave(app, "Wave 1")).toHaveAttribute("aria-valuenow", /^(29|30)$/);
  expect(await at(app)).toBeGreaterThan(59);
  await app.mouse.up();
  await jumpedTo(app, 30, 1);
  expect((await sound(app)).paused).toBe(false);
  // By keys, on one that does not play.
  await expect(wave(app, "Wave 2")).toHaveAccessibleName("Position in Wave 2");
  await wave(app, "Wave 2").press("PageUp");
  await playing(app, "Wave 2");
  await expect.poll(() => at(app)).toBeGreaterThan(29.5);
  await wave(app, "Wave 2").press(" ");
  await expect.poll(async () => (await sound(app)).paused).toBe(true);
  const rested = await at(app);
  await wave(app, "Wave 2").press("ArrowLeft");
  await expect.poll(() => at(app)).toBeCloseTo(rested - 5, 1);
  await wave(app, "Wave 2").press("Home");
  await expect.poll(() => at(app)).toBe(0);
  expect((await sound(app)).paused).toBe(true);
  // From the very end of one, something is heard.
  const end = await pointIn(wave(app, "Wave 1"), 1);
  await jumps(app);
  await app.mouse.click(end.x - 0.1, end.y);
  await jumpedTo(app, 119, 0.1);
  // What has ended begins anew.
  await bar(app).getByRole("button", { name: /^Playback options/ }).click();
  const next = app.getByRole("switch", { name: /next/i });
  await next.click();
  await app.keyboard.press("Escape");
  await wave(app, "Wave 1").press("End");
  await expect.poll(async () => (await sound(app)).paused).toBe(true);
  await expect(bar(app).getByRole("button", { name: "Play Wave 1" })).toBeVisible();
  await jumps(app);
  await bar(app).getByRole("button", { name: "Play Wave 1" }).click();
  await playing(app, "Wave 1");
  await jumpedTo(app, 0, 0.1);
});

test("a message that changes while its waveform is dragged is dragged on", async ({ app, hark }) => {
  const conversation = await hark.conversation("Dragged");
  const { id } = await hark.ready((await hark.send(conversation, tone(120), { title: "Before" })).id);
  await app.goto(`${hark.url}/c/${conversation}`);
  const half = await pointIn(wave(app, "Before"));
  await app.mouse.move(half.x, half.y);
  await app.mouse.down();
  await expect(wave(app, "Before")).toHaveAttribute("aria-valuenow", /^(59|60)$/);
  await hark.json(`/v1/messages/${id}`, { method: "PATCH", body: JSON.stringify({ title: "After" }) });
  await expect(wave(app, "After")).toHaveAttribute("aria-valuenow", /^(59|60)$/);
  const quarter = await pointIn(wave(app, "After"), 0.25);
  await app.mouse.move(quarter.x, quarter.y, { steps: 4 });
  await expect(wave(app, "After")).toHaveAttribute("aria-valuenow", /^(29|30)$/);
  await app.mouse.up();
  await playing(app, "After");
  await jumpedTo(app, 30, 1);
});

test.describe("by finger", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("a waveform lets the page scroll, and is not dragged by two", async ({ app, hark }) => {
    await app.goto(await messages(hark, "Touch", [...Array<number>(5).fill(10), 120, 10, 10, 10]));
    const finger = await Finger.of(app);
    await expect(wave(app, "Touch 9")).toBeVisible();
    await expect(wave(app, "Touch 6")).toBeVisible();
    const from = await pointIn(wave(app, "Touch 6"));
    await finger.swipe(from, { x: from.x + 4, y: from.y + 250 });
    await expect.poll(async () => (await pointIn(wave(app, "Touch 6"))).y).toBeGreaterThan(from.y + 100);
    await atRest(wave(app, "Touch 6")); // it flew on, perhaps
    await wave(app, "Touch 6").scrollIntoViewIfNeeded();
    await atRest(wave(app, "Touch 6"));
    await expect(bar(app)).toHaveCount(0); // and nothing plays
    // Sideways it drags; a system that takes the finger away takes back what it did.
    const rest = await pointIn(wave(app, "Touch 6"), 0.2);
    const there = await pointIn(wave(app, "Touch 6"), 0.8);
    await finger.down(rest);
    await finger.move(rest, there);
    await finger.cancel();
    await expect(bar(app)).toHaveCount(0);
    await finger.swipe(rest, there);
    await playing(app, "Touch 6");
    await jumpedTo(app, 96, 4);
    // A press is enough.
    await finger.down(await pointIn(wave(app, "Touch 6"), 0.1));
    await finger.up();
    await jumpedTo(app, 12, 4);
  });
});

test("the message that plays is in view and alone is lit, unless one scrolled away", async ({ app, hark }) => {
  await app.setViewportSize({ width: 1000, height: 640 });
  await app.goto(await messages(hark, "Follow", [1, 1, 1, 1, 1, 90, 90, ...Array<number>(6).fill(1)]));
  await expect(card(app, "Follow 13")).toBeInViewport();
  const list = app.locator(".feed .box");
  await list.hover();
  await app.mouse.wheel(0, -20_000);
  await expect(card(app, "Follow 1")).toBeInViewport();
  await card(app, "Follow 1").getByRole("button", { name: /^Play/ }).click();
  const lit = () => app.evaluate(() => Array.from(document.querySelectorAll<HTMLElement>("article.current, article.chosen"), (one) => one.getAttribute("aria-label")));
  await expect(bar(app).getByRole("button", { name: "Pause Follow 6" })).toBeVisible({ timeout: 40_000 });
  await expect(card(app, "Follow 6")).toBeInViewport({ ratio: 0.9 });
  await expect.poll(lit).toEqual([expect.stringMatching(/Follow 6/)]);
  await expect(app.getByRole("button", { name: "Jump to now playing" })).toHaveCount(0);
  // Whoever scrolls away is left alone, and can go back.
  await list.hover();
  await app.mouse.wheel(0, -20_000);
  await expect(app.getByRole("button", { name: "Jump to now playing" })).toBeVisible();
  await bar(app).getByRole("slider").press("End");
  await playing(app, "Follow 7");
  await expect(card(app, "Follow 1")).toBeInViewport();
  await app.getByRole("button", { name: "Jump to now playing" }).click();
  await expect(card(app, "Follow 7")).toBeInViewport({ ratio: 0.9 });
  await expect(app.getByRole("button", { name: "Jump to now playing" })).toHaveCount(0);
  await expect.poll(lit).toEqual([expect.stringMatching(/Follow 7/)]);
});

test("speed holds from message to message and from tab to tab", async ({ app, hark, context }) => {
  const address = await messages(hark, "Speedy", [8, 60, 60]);
  await app.goto(address);
  await card(app, "Speedy 1").getByRole("button", { name: /^Play/ }).click();
  await playing(app, "Speedy 1");
  for (let i = 0; i < 3; i++) await app.keyboard.press(">");
  await playing(app, "Speedy 2"); // by itself
  expect((await sound(app)).rate).toBe(1.75);
  await bar(app).getByRole("button", { name: "Next message" }).click();
  await playing(app, "Speedy 3");
  await expect.poll(() => sound(app)).toMatchObject({ rate: 1.75, paused: false });
  const other = await context.newPage();
  await other.goto(address);
  await other.getByRole("article").first().waitFor();
  await other.evaluate(() => localStorage.setItem("hark.prefs", JSON.stringify({ ...(JSON.parse(localStorage.getItem("hark.prefs")!) as object), rate: 1.5 })));
  await expect.poll(async () => (await sound(app)).rate).toBe(1.5);
});

test("where one goes while it loads is where it plays", async ({ app, hark }) => {
  const address = await messages(hark, "Slow", [40]);
  await app.goto(address);
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await app.route("**/audio?*", async (route) => (await held, route.continue()));
  await wave(app, "Slow 1").press("PageUp"); // 30 s
  await expect(bar(app)).toBeVisible();
  for (let i = 0; i < 3; i++) await wave(app, "Slow 1").press("ArrowLeft");
  // Once its length is known, before that is told: the last place counts.
  await app.evaluate(() => {
    const { sound: element } = window as unknown as { sound: HTMLAudioElement };
    element.addEventListener("loadedmetadata", () => document.querySelector<HTMLElement>("[role=slider]")!.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true })), { capture: true });
  });
  go();
  await expect.poll(async () => (await sound(app)).paused).toBe(false);
  await expect.poll(() => at(app)).toBeGreaterThan(0.1);
  expect(await jumps(app)).toEqual([[expect.closeTo(0, 1), expect.closeTo(10, 1)]]); // there, and nowhere before
  await expect.poll(() => wave(app, "Slow 1").getAttribute("aria-valuenow").then(Number)).toBeGreaterThanOrEqual(10);
});

test("headphones that are pulled out pause it; other devices come and go", async ({ app, hark }) => {
  await app.addInitScript(() => {
    type Devices = Pick<MediaDeviceInfo, "kind" | "deviceId" | "groupId">[];
    const device = (deviceId: string, groupId: string) => ({ kind: "audiooutput" as const, deviceId, groupId });
    let devices: Devices = [device("default", "head"), device("h", "head"), device("s", "speakers"), device("m", "monitor")];
    navigator.mediaDevices.enumerateDevices = () => Promise.resolve(devices as MediaDeviceInfo[]);
    Object.assign(window, {
      unplug(id: string) {
        devices = devices.filter((one) => one.deviceId !== id).map((one) => (id === "h" && one.deviceId === "default" ? device("default", "speakers") : one));
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
      },
    });
  });
  await app.goto(await messages(hark, "Ears", [30]));
  await card(app, "Ears 1").getByRole("button", { name: /^Play/ }).click();
  await playing(app, "Ears 1");
  const unplug = (id: string) => app.evaluate((one) => (window as unknown as { unplug(id: string): void }).unplug(one), id);
  await unplug("m");
  await app.evaluate(() => navigator.mediaDevices.enumerateDevices().then(() => new Promise((done) => setTimeout(done))));
  expect((await sound(app)).paused).toBe(false);
  await unplug("h");
  await expect.poll(async () => (await sound(app)).paused).toBe(true);
  await expect(bar(app).getByRole("button", { name: "Play Ears 1" })).toBeVisible();
});
