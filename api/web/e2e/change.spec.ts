/* What one hears while the clip that plays is followed by another: never a byte of the other. */
import type { Page, Response } from "@playwright/test";

import { expect, signIn, test, watch } from "./app";
import { pointIn } from "./finger";
import { Hark, type Message as Sent } from "./hark";
import { Recogniser } from "./recogniser";
import { at, ended, jumpedTo, listenIn, sound } from "./sound";
import { lasting, prompt } from "./speech";
import { tone } from "./wav";

interface Message extends Sent {
  rendition: object | null;
  links: { audio: string };
}

const bar = (page: Page) => page.getByRole("region", { name: "Player" });
const place = (page: Page) => page.locator("div.reader").getByRole("slider", { name: "Position" });

/** Waits for its rendition, which a machine with other work takes its time to make. */
const rendered = (hark: Hark, id: string) => expect.poll(async () => (await hark.json<Message>(`/v1/messages/${id}`)).rendition, { timeout: 90_000 }).not.toBeNull();

const length = 600; // s
const rate = 24_000; // bytes a second: several times what a browser reads ahead, or on the way to where one jumps

test("a rendition that is made while the original plays changes nothing of what one hears", async ({ page }) => {
  const recogniser = await Recogniser.start();
  const hark = await Hark.start({ ...recogniser.settings, HARK_JOBS: "2" });
  const wrong = watch(page);
  await listenIn(page);
  await signIn(page, hark.signInAddress());
  const conversation = await hark.conversation("Change");
  for (const title of ["One", "Two"]) await hark.send(conversation, prompt("tt-allbusy"), { title }); // take all places of work
  await recogniser.busy(2);
  const { id } = await hark.send(conversation, tone(length, rate), { title: "Tone" });

  const asked: Response[] = [];
  page.on("response", (response) => response.url().includes(`${id}/audio`) && asked.push(response));
  let known: Message | undefined; // to the page
  page.on("response", (response) => void (response.url().endsWith(`/v1/messages/${id}`) && response.json().then((read: Message) => (known = read), () => {})));
  await page.goto(`${hark.url}/m/${id}`);
  await page.locator("div.reader").getByRole("button", { name: "Play Tone" }).click();
  await expect.poll(() => at(page)).toBeGreaterThan(0.5);
  const original = (await sound(page)).src;
  expect(original).toContain("format=original");
  await bar(page).getByRole("button", { name: "Pause Tone" }).click();

  recogniser.finish();
  await hark.ready(id);
  await rendered(hark, id);
  await expect(page.locator("[data-w='2']")).toHaveText("good");
  await expect.poll(() => known?.rendition ?? null).not.toBeNull();
  const before = asked.length;

  await bar(page).getByRole("button", { name: "Play Tone" }).click();
  for (const seconds of [500, 120, 300]) {
    const { x, y } = await pointIn(place(page), seconds / length);
    await page.mouse.click(x, y);
    await jumpedTo(page, seconds, 4);
    expect(await sound(page)).toMatchObject({ paused: false, src: original });
  }
  await expect.poll(() => asked.length, { message: "parts that were read after the change" }).toBeGreaterThan(before);
  const tags = new Set(asked.map((response) => response.headers().etag));
  expect([...tags]).toHaveLength(1);
  expect(asked.map((response) => response.url()).filter((url) => url !== original)).toEqual([]);

  // Once it has ended, the next time is of the rendition.
  await page.evaluate(() => {
    const { sound } = window as unknown as { sound: HTMLAudioElement };
    sound.currentTime = sound.duration - 0.2;
  });
  await ended(page);
  await bar(page).getByRole("button", { name: "Play Tone" }).click();
  await expect.poll(async () => (await sound(page)).src).toContain("format=rendition");
  await expect.poll(() => sound(page)).toMatchObject({ paused: false });
  expect(wrong).toEqual([]);
  await page.goto("about:blank"); // what it still reads of the original would be waited for
  await hark.stop();
  recogniser.stop();
});

test("a clip that was made anew is loaded anew, and goes on at its place", async ({ page, hark }) => {
  await listenIn(page);
  await signIn(page, hark.signInAddress());
  const conversation = await hark.conversation("Anew");
  const { id } = await hark.send(conversation, lasting("tt-allbusy"), { title: "Anew" });
  await hark.ready(id);
  await rendered(hark, id);
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
