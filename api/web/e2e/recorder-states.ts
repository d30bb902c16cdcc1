/* Leads a page through all that the recorder may look like. */
import type { Page } from "@playwright/test";

import { connectWithin } from "../src/recorder/decide";
import { expect } from "./app";
import { pointIn } from "./finger";
import type { Hark } from "./hark";
import { pause, pending, record, recorder, recordLive, spoken } from "./speaking";

async function throwAway(page: Page) {
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(recorder(page)).toBeHidden();
}

/** Calls back in each state, with its name. */
export async function recorderStates(page: Page, hark: Hark, conversation: string, each: (state: string) => Promise<void>) {
  const open = async () => {
    await page.goto(`${hark.url}/c/${conversation}`);
    await expect(page.getByRole("button", { name: "Microphone" })).toBeVisible();
  };
  await open();
  await each("idle");
  await page.getByRole("button", { name: "Microphone" }).click();
  await each("microphone");
  await page.keyboard.press("Escape");

  // A connection that is not there yet, for as long as one looks; then one that is.
  await page.route("**/whip?*", () => {});
  await page.evaluate((patience) => {
    const plain = window.setTimeout;
    const patient = (run: TimerHandler, ms?: number, ...rest: unknown[]) => plain(run, ms === patience ? 600_000 : ms, ...rest);
    Object.assign(window, { setTimeout: patient, impatient: () => (window.setTimeout = plain) });
  }, connectWithin);
  await record(page).click();
  await expect(recorder(page).getByText("Connecting…")).toBeVisible();
  await each("connecting");
  await throwAway(page);
  await page.evaluate(() => (window as unknown as { impatient: () => void }).impatient());
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await recordLive(page, hark, conversation);
  await each("live");
  await page.keyboard.press(" ");
  await expect(recorder(page).getByRole("button", { name: "Listen" })).toBeVisible();
  await each("paused");
  await recorder(page).getByRole("button", { name: /^Trim last/ }).click();
  await expect(recorder(page).getByRole("button", { name: "Undo" })).toBeVisible();
  await each("cut");
  await page.keyboard.press("Escape");
  await each("throw-away");
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();

  // Held, with no connection and nothing to hear.
  await page.route("**/whip?*", (route) => route.abort());
  const at = await pointIn(record(page));
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await spoken(page, 1);
  await page.mouse.move(at.x, at.y - 1);
  await each("held");
  await page.mouse.move(at.x, at.y - 80, { steps: 3 });
  await page.mouse.up(); // locked
  await expect(recorder(page).getByText(/Saved on this device/)).toBeVisible();
  await each("local");

  // Sent into a network that is gone, beside a draft and what is refused.
  await page.route("**/messages?*", (route) => (route.request().method() === "POST" ? route.abort() : route.fallback()));
  await recorder(page).getByRole("button", { name: "Send" }).click();
  await expect(pending(page).getByText(/Waiting for a connection/)).toBeVisible({ timeout: 15_000 });
  await record(page).click();
  await spoken(page, 2);
  await pause(page);
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(pending(page).getByText("Draft. Only on this device.")).toBeVisible();
  await page.route("**/messages?*filename*", (route) => route.fulfill({ status: 415, json: { detail: "This is a text file, not a recording." } })); // what was spoken still waits
  await page.locator("input[type=file]").setInputFiles({ name: "Notes from the meeting, second part.txt", mimeType: "text/plain", buffer: Buffer.from("Only words, no sound.") });
  await expect(pending(page).getByRole("alert")).toBeVisible();
  await expect(pending(page).getByRole("listitem")).toHaveCount(3);
  await each("pending");
  for (const left of [2, 1, 0]) {
    await pending(page).getByRole("button", { name: /^Discard/ }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await expect(page.getByRole("dialog")).toBeHidden();
    await expect(pending(page).getByRole("listitem")).toHaveCount(left);
  }
  await page.unrouteAll();

  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["x"], "x.wav"));
    return transfer;
  });
  await page.dispatchEvent(".conversation", "dragenter", { dataTransfer: data });
  await expect(page.getByText("Audio files, or videos with sound")).toBeVisible();
  await each("drop");
  await page.dispatchEvent(".conversation", "dragleave", { dataTransfer: data });

  // A file on its way, which takes its time.
  await page.route("**/messages?*filename*", () => {});
  await page.locator("input[type=file]").setInputFiles({ name: "Long interview.wav", mimeType: "audio/wav", buffer: Buffer.alloc(2_000_000) });
  await expect(pending(page).getByText("Sending…")).toBeVisible();
  await each("sending");
  await pending(page).getByRole("button", { name: /^Discard/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  await page.unrouteAll({ behavior: "ignoreErrors" });

  // A microphone that gives nothing.
  await page.evaluate(() => (navigator.mediaDevices.getUserMedia = () => Promise.resolve(new AudioContext().createMediaStreamDestination().stream)));
  await record(page).click();
  await expect(recorder(page).getByRole("alert")).toBeVisible({ timeout: 15_000 });
  await each("muted");
  await throwAway(page);

  await page.evaluate(() => (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"))));
  await record(page).click();
  await expect(page.getByText("Microphone access is blocked")).toBeVisible();
  await each("refused");
}
