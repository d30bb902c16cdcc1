/*
 * The app, opened in a browser as people open it, and watched for what must
 * not happen: an error, or a breach of the page's own policy.
 */
import { expect, type Page } from "@playwright/test";

import { type Hark, test as base } from "./hark";

/** Opens a sign-in address and presses its button. */
export async function signIn(page: Page, address: string) {
  await page.goto(address);
  await page.getByRole("button", { name: "Sign in here" }).click();
  await expect(page.getByRole("navigation", { name: "Conversations" })).toBeVisible();
}

/** Collects what must not happen in a page. */
export function watch(page: Page): string[] {
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) wrong.push(message.text());
  });
  return wrong;
}

/** The test function, with the app signed in as the owner. */
export const test = base.extend<{ app: Page }>({
  app: async ({ page, hark }, use) => {
    const wrong = watch(page);
    await signIn(page, hark.signInAddress());
    await use(page);
    expect(wrong).toEqual([]);
  },
});

/** The words of a message, for the page to find and to light up. */
export async function wordsOf(hark: Hark, id: string) {
  const transcript = await hark.json<{ segments: { words: { text: string; start_ms: number; end_ms: number }[] }[] }>(`/v1/messages/${id}/transcript`);
  return transcript.segments.flatMap((segment) => segment.words);
}

/** Where the player of the page is, in seconds, by its clock. */
export const playerClock = async (page: Page) => Number(await page.getByRole("region", { name: "Player" }).getByRole("slider", { name: "Place" }).getAttribute("aria-valuenow"));

export { expect };
