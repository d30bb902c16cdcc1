/* What the tests of the recorder see of it, and of what it leaves behind. */
import type { Page } from "@playwright/test";

import { en } from "../src/words/en";
import { expect } from "./app";
import type { Hark, Message } from "./hark";

export type Titled = Message & { title: string; conversation_id: string };

export const recorder = (page: Page) => page.getByRole("region", { name: "Recording" });
export const record = (page: Page) => page.getByRole("button", { name: "Record", exact: true });
export const pending = (page: Page) => page.getByRole("region", { name: "Not sent yet" });

export const messages = async (hark: Hark, conversation: string) => (await hark.json<{ items: Titled[] }>(`/v1/conversations/${conversation}/messages`)).items;

/** Waits until a conversation has this one message, made of all it can be. */
export async function only(hark: Hark, conversation: string): Promise<Titled> {
  await expect.poll(async () => (await messages(hark, conversation)).map((m) => m.state), { timeout: 90_000 }).toEqual(["ready"]);
  return (await messages(hark, conversation))[0]!;
}

/** Opens a conversation of its own, and waits until one may speak. */
export async function enter(page: Page, hark: Hark, title: string): Promise<string> {
  const conversation = await hark.conversation(title);
  await page.goto(`${hark.url}/c/${conversation}`);
  await expect(page.getByRole("button", { name: "Microphone" })).toBeVisible();
  return conversation;
}

/**
 * Begins to record over a live connection, for what comes after it. A machine
 * that others share may take longer than the two seconds after which the
 * recorder does without one: that recording is thrown away.
 */
export async function recordLive(page: Page, hark: Hark, conversation: string) {
  const live = recorder(page).getByText(/Saved to server/);
  for (let attempt = 1; ; attempt++) {
    await record(page).click();
    await expect(live.or(recorder(page).getByText(/Saved on this device/))).toBeVisible({ timeout: 20_000 });
    if (attempt === 4 || (await live.isVisible())) break;
    console.log("      the machine took more than two seconds to connect; once more");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await expect(record(page)).toBeVisible();
    await expect.poll(() => draftsOf(hark, conversation)).toEqual([]);
  }
  await expect(live).toBeVisible();
}

/** What the recorder's clock shows, in seconds. */
export async function clock(page: Page): Promise<number> {
  const [minutes, seconds] = (await recorder(page).getByRole("timer").textContent())!.split(":");
  return Number(minutes) * 60 + Number(seconds);
}

/** Waits until so much is recorded; on a slow machine it is more when this returns. */
export async function spoken(page: Page, seconds: number) {
  await expect.poll(() => clock(page), { timeout: (seconds + 30) * 1000, intervals: [100] }).toBeGreaterThanOrEqual(seconds);
}

/** Pauses, and tells how long it is, in ms, as who listens to it sees once the browser has given all of it. */
export async function pause(page: Page): Promise<number> {
  await recorder(page).getByRole("button", { name: "Pause" }).click();
  return pausedLength(page);
}

/** How long what is paused is, in ms, once all of it has come from the browser's encoder: before that it may change. */
export async function pausedLength(page: Page): Promise<number> {
  const place = recorder(page).getByRole("slider", { name: "Position in the recording" });
  await expect(place).toBeVisible();
  await expect(recorder(page).getByText(en.recorder.savedAll, { exact: true })).toBeAttached();
  return Number(await place.getAttribute("max"));
}

export const send = (page: Page) => recorder(page).getByRole("button", { name: "Send" }).click();

/**
 * How much was recorded, and silent, before a live connection was there that has
 * all that was spoken, in ms: where that is what is sent, it begins so much later.
 */
export const leadOf = async (page: Page) => Math.max(0, ...(await kept(page)).map(({ phase, live }) => (phase === "paused" && live?.whole ? live.lead : 0)));

/** Expects a message to be as long as who spoke saw, in ms, but for what it may begin later. */
export function expectWhole(ms: number | undefined, seen: number, lead = 0) {
  expect(ms! - seen).toBeLessThan(900);
  expect(ms! - seen).toBeGreaterThan(-900 - lead);
}

/** Pauses and sends it; the message is as long as who spoke saw. */
export async function sendWhole(page: Page, hark: Hark, conversation: string): Promise<Titled> {
  const length = await pause(page);
  const lead = await leadOf(page);
  await send(page);
  const message = await only(hark, conversation);
  expectWhole(message.duration_ms, length, lead);
  return message;
}

/** One's drafts on the server. */
export const draftsOf = async (hark: Hark, conversation?: string) =>
  (await hark.json<{ items: (Titled & { conversation_id: string })[] }>("/v1/drafts")).items.filter((draft) => !conversation || draft.conversation_id === conversation);

interface Kept {
  phase: string;
  ms: number;
  live?: { lead: number; whole: boolean };
}

/** The recordings that this browser keeps, but for those whose sending can still be undone. */
const kept = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<Kept[]>((resolve, reject) => {
        const open = indexedDB.open("hark");
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const items = open.result.transaction("items").objectStore("items").getAll() as IDBRequest<Kept[]>;
          items.onsuccess = () => (open.result.close(), resolve(items.result.filter(({ phase }) => phase !== "sent")));
        };
      }),
  );

/** How many there are. */
export const onDevice = async (page: Page) => (await kept(page)).length;

/** Waits until so much of what is being recorded is on the device, which is less than its clock shows. */
export const safeOnDevice = (page: Page, seconds: number) =>
  expect.poll(async () => Math.max(0, ...(await kept(page)).map(({ ms }) => ms)), { timeout: (seconds + 30) * 1000 }).toBeGreaterThanOrEqual(seconds * 1000);
