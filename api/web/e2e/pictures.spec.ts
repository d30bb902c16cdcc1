/* The pictures of the README: `npm run pictures` takes them into api/web/pictures. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import config from "../playwright.config";
import { expect, test } from "./app";
import { furnish, said, spoken } from "./looks";
import { cache, root, wordErrorRate } from "./speech";

const folder = join(root, "api/web/pictures");
const capture = "--use-file-for-fake-audio-capture=";
const { launchOptions } = config.use!;

test.use({ launchOptions: { ...launchOptions, args: launchOptions!.args!.map((arg) => (arg.startsWith(capture) ? `${capture}${join(cache, "pier.wav")}%noloop` : arg)) } });
test.beforeAll(() => void spoken("pier", "Good morning everybody. This is the harbour. The ferry is late again, and the wind has turned to the east. I will call you in the evening."));

/** A picture of few colours, for a README that loads quickly. */
async function take(page: Page, name: string) {
  const full = join(cache, `${name}.png`);
  await page.waitForTimeout(250); // what moves comes to rest
  await page.screenshot({ path: full });
  const few = "split[a][b];[a]palettegen=max_colors=160:reserve_transparent=0[p];[b][p]paletteuse=dither=none";
  execFileSync("ffmpeg", ["-v", "error", "-y", "-i", full, "-vf", few, join(folder, `${name}.png`)]);
}

test("a message beside its conversation", async ({ app, hark }) => {
  const { harbour, long } = await furnish(hark);
  await hark.json(`/v1/conversations/${long}`, { method: "PATCH", body: JSON.stringify({ title: "Sunday calls" }) });
  const heard = (await hark.transcript(harbour)).replace("40", "forty");
  expect(wordErrorRate(said.get("harbour")!, heard), heard).toBe(0); // a picture without mishearings
  await app.setViewportSize({ width: 1280, height: 800 });
  await app.goto(`${hark.url}/m/${harbour}`);
  await app.locator("[data-w='27']").click();
  await app.mouse.move(640, 50); // over nothing
  await expect(app.locator(".transcript .said")).toBeVisible();
  await take(app, "message");
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 360, height: 720 }, deviceScaleFactor: 2, colorScheme: "dark" });

  test("a recording with its captions", async ({ app, hark }) => {
    const { main } = await furnish(hark);
    await app.goto(`${hark.url}/c/${main}`);
    await expect(app.getByRole("button", { name: "Microphone" })).toBeVisible();
    await expect(app.getByText(/quarter past six/)).toBeVisible();
    await app.getByRole("button", { name: "Record", exact: true }).click();
    const recorder = app.getByRole("region", { name: "Recording" });
    await expect(recorder.getByText(/east/i).first()).toBeVisible({ timeout: 40_000 });
    await take(app, "recording");
    await app.getByRole("button", { name: "Discard" }).click();
    await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  });
});
