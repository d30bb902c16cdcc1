/* Recordings that are on the device already: dropped, pasted, refused, interrupted. */
import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, test } from "./app";
import type { Message } from "./hark";
import { onDevice, pending } from "./speaking";
import { prompt } from "./speech";

/** Drops or pastes files into the conversation, as the system would hand them over. */
async function give(page: Page, how: "drop" | "paste", files: { name: string; type: string; body: Buffer }[]) {
  const handed = files.map((file) => ({ ...file, body: file.body.toString("base64") }));
  const data = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, type, body } of list) transfer.items.add(new File([Uint8Array.from(atob(body), (c) => c.charCodeAt(0))], name, { type }));
    return transfer;
  }, handed);
  if (how === "drop") {
    await page.dispatchEvent(".conversation", "dragenter", { dataTransfer: data });
    await expect(page.getByText("Audio files, or videos with sound")).toBeVisible();
    await page.dispatchEvent(".conversation", "dragover", { dataTransfer: data });
    await page.dispatchEvent(".conversation", "drop", { dataTransfer: data });
    await expect(page.getByText("Audio files, or videos with sound")).toBeHidden();
  } else {
    await page.evaluate((clipboardData) => document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true })), data);
  }
}

test("files are dropped and pasted, several at once; what is no recording is refused in a sentence", async ({ app, hark }) => {
  const conversation = await hark.conversation("Dropped");
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(app.getByRole("button", { name: "Microphone" })).toBeVisible(); // the recorder is there
  const wav = (name: "tt-allbusy" | "vm-record-prepend" | "confbridge-mute-extended") => ({ name: `${name}.wav`, type: "audio/wav", body: readFileSync(prompt(name)) });
  await give(app, "drop", [wav("tt-allbusy"), wav("vm-record-prepend"), { name: "notes.txt", type: "text/plain", body: Buffer.from("Only words, no sound.") }]);
  await give(app, "paste", [wav("confbridge-mute-extended")]);
  await expect(pending(app).getByRole("alert")).toHaveText("This is a text file, not a recording.");
  await expect(pending(app).getByRole("listitem")).toHaveCount(1);
  await expect(app.getByRole("article")).toHaveCount(3);
  await pending(app).getByRole("button", { name: /^Discard/ }).click();
  await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(pending(app)).toBeHidden();
  await expect(app.getByRole("link", { name: /telemarketers/i })).toBeVisible({ timeout: 90_000 }); // of three that are heard
});

test("a file whose sending is interrupted goes out after a reload, once", async ({ app, hark }) => {
  const conversation = await hark.conversation("Interrupted");
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(app.getByRole("button", { name: "Microphone" })).toBeVisible();
  await app.route("**/messages?*", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    await route.fetch(); // it arrives, but the answer does not
    await route.abort();
  });
  await give(app, "drop", [{ name: "vm-record-prepend.wav", type: "audio/wav", body: readFileSync(prompt("vm-record-prepend")) }]);
  await expect(pending(app).getByText(/Waiting for a connection/)).toBeVisible();
  await app.unrouteAll({ behavior: "wait" });
  await app.reload();
  await expect(app.getByRole("article")).toHaveCount(1);
  await expect.poll(() => onDevice(app), { timeout: 30_000 }).toBe(0); // it was sent once more
  await expect(pending(app)).toBeHidden();
  await expect(app.getByRole("article")).toHaveCount(1);
  expect((await hark.json<{ items: Message[] }>(`/v1/conversations/${conversation}/messages`)).items).toHaveLength(1);
});
