/*
 * The app, opened in a browser as people open it, and watched for what must
 * not happen: an error, or a breach of the page's own policy.
 */
import { expect, type Page } from "@playwright/test";

import { type Hark, test as base } from "./hark";

/** Opens a sign-in address and presses its button. */
export async function signIn(page: Page, address: string) {
  await page.goto(address);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.locator(".app-shell")).toBeVisible(); // with the list or, on a phone with one conversation only, with that
}

/** What browsers say of a request that failed, as without a connection: of a file, and of the worker. */
const failedRequest = /^(Failed to load resource|An unknown error occurred when fetching the script)/;

/** Collects what must not happen in a page. */
export function watch(page: Page): string[] {
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !failedRequest.test(message.text())) wrong.push(message.text());
  });
  return wrong;
}

/** Where a page says whether what it shows is up to date. */
export const link = (page: Page) => page.getByRole("complementary").locator(".link");

/** Waits until all is read that a page reads anew once it hears of events. */
export const upToDate = (page: Page) => expect(link(page)).toHaveText("Up to date");

/** The test function, with the app signed in as the owner. */
export const test = base.extend<{ app: Page }>({
  app: async ({ page, hark }, use) => {
    const wrong = watch(page);
    await signIn(page, hark.signInAddress());
    await use(page);
    expect(wrong).toEqual([]);
  },
});

/**
 * Waits for words that are gone again after a while, perhaps before a slow machine
 * looks twice: the page itself looks, from before what brings them on.
 */
export const passing = (page: Page, words: RegExp) => page.waitForFunction(({ source, flags }) => new RegExp(source, flags).test(document.body.innerText), { source: words.source, flags: words.flags });

/** The words of a message, for the page to find and to light up. */
export async function wordsOf(hark: Hark, id: string) {
  const transcript = await hark.json<{ segments: { words: { text: string; start_ms: number; end_ms: number }[] }[] }>(`/v1/messages/${id}/transcript`);
  return transcript.segments.flatMap((segment) => segment.words);
}

/**
 * Takes down what is lit of what is said, from now on: a word by its index, a
 * gap by its text. Words are shorter than the time between two looks at a page.
 */
export async function noteLit(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const nameOf = (element: HTMLElement) => element.dataset.w ?? element.textContent.trim();
    const lit = Array.from(document.querySelectorAll<HTMLElement>(".said, .lit"), nameOf);
    Object.assign(window, { lit });
    new MutationObserver((changes) => {
      for (const { target } of changes) if (target instanceof HTMLElement && target.matches(".said, .lit")) lit.push(nameOf(target));
    }).observe(document.body, { subtree: true, attributeFilter: ["class"] });
  });
  return () => page.evaluate(() => (window as unknown as { lit: string[] }).lit);
}

/** Where the player of the page is, in seconds, by its clock. */
export async function playerClock(page: Page): Promise<number> {
  const shown = await page.getByRole("region", { name: "Player" }).locator(".time").first().textContent();
  return shown!.split(" ")[0]!.split(":").reduce((seconds, part) => seconds * 60 + Number(part), 0);
}

export { expect };
