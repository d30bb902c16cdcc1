/* What one hears while the clip that plays is followed by another: never a byte of the other. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import type { Page, Response } from "@playwright/test";

import { expect, signIn, test, watch } from "./app";
import { Hark, type Message as Sent } from "./hark";
import { Recogniser } from "./recogniser";
import { at, listenIn, sound } from "./sound";
import { cache, prompt } from "./speech";

interface Message extends Sent {
  rendition: object | null;
  links: { audio: string };
}

const bar = (page: Page) => page.getByRole("region", { name: "Player" });
const place = (page: Page) => bar(page).getByRole("slider", { name: "Place" });

/** A minute of a tone, in more bytes than a browser reads ahead. */
function long(): string {
  const file = join(cache, "long.wav");
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=330:duration=60", "-ar", "48000", "-ac", "2", file]);
  return file;
}

test("a rendition that is made while the original plays changes nothing of what one hears", async ({ page }) => {
  const recogniser = await Recogniser.start();
  const hark = await Hark.start({ ...recogniser.settings, HARK_JOBS: "2" });
  const wrong = watch(page);
  await listenIn(page);
  await signIn(page, hark.signInAddress());
  const conversation = await hark.conversation("Change");
  for (const title of ["One", "Two"]) await hark.send(conversation, prompt("tt-allbusy"), { title }); // take all places of work
  await recogniser.busy(2);
  const { id } = await hark.send(conversation, long(), { title: "Tone" });

  const asked: Response[] = [];
  page.on("response", (response) => response.url().includes(`${id}/audio`) && asked.push(response));
  await page.goto(`${hark.url}/m/${id}`);
  await page.locator("div.reader").getByRole("button", { name: "Play Tone" }).click();
  await expect.poll(() => at(page)).toBeGreaterThan(0.5);
  const original = (await sound(page)).src;
  expect(original).toContain("format=original");
  await bar(page).getByRole("button", { name: "Pause Tone" }).click();

  recogniser.finish();
  await hark.ready(id);
  await expect.poll(async () => (await hark.json<Message>(`/v1/messages/${id}`)).rendition).not.toBeNull();
  await expect(page.locator("[data-w='2']")).toHaveText("good"); // the page knows
  const before = asked.length;

  await bar(page).getByRole("button", { name: "Play Tone" }).click();
  for (const seconds of [50, 12, 30]) {
    const { width, height } = (await place(page).boundingBox())!;
    await place(page).click({ position: { x: (width * seconds) / 60, y: height / 2 } });
    await expect.poll(() => at(page)).toBeLessThan(seconds + 10);
    await expect.poll(() => at(page)).toBeGreaterThan(seconds - 2);
    expect(await sound(page)).toMatchObject({ paused: false, src: original });
  }
  expect(asked.length, "parts that were read after the change").toBeGreaterThan(before);
  const tags = new Set(asked.map((response) => response.headers().etag));
  expect([...tags]).toHaveLength(1);
  expect(asked.map((response) => response.url()).filter((url) => url !== original)).toEqual([]);

  // Once it has ended, the next time is of the rendition.
  await page.evaluate(() => {
    const { sound } = window as unknown as { sound: HTMLAudioElement };
    sound.currentTime = sound.duration - 0.2;
  });
  await bar(page).getByRole("button", { name: "Play Tone" }).click();
  await expect.poll(() => sound(page)).toMatchObject({ paused: false });
  expect((await sound(page)).src).toContain("format=rendition");
  expect(wrong).toEqual([]);
  await hark.stop();
  recogniser.stop();
});

test("a clip that was made anew is loaded anew, and goes on at its place", async ({ page, hark }) => {
  await listenIn(page);
  await signIn(page, hark.signInAddress());
  const conversation = await hark.conversation("Anew");
  const { id } = await hark.send(conversation, prompt("tt-allbusy"), { title: "Anew" });
  await hark.ready(id);
  await expect.poll(async () => (await hark.json<Message>(`/v1/messages/${id}`)).rendition).not.toBeNull();
  const { links } = await hark.json<Message>(`/v1/messages/${id}`);

  // The page knows an address from before.
  await page.route(`**/v1/conversations/${conversation}/messages?*`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(/([&?]v=)\w+/g, "$10") });
  });
  await page.goto(`${hark.url}/c/${conversation}`);
  const gone = page.waitForResponse((response) => response.url().includes("/audio") && response.status() === 410);
  await page.getByRole("button", { name: "Play Anew" }).first().click();
  await gone;
  await expect.poll(() => at(page)).toBeGreaterThan(0.5);
  expect(await sound(page)).toMatchObject({ paused: false, src: hark.url + links.audio });
});
