/* A Hark below a path, behind a front that the test plays with, and what the tests see of the app's shell. */
import { expect, type Page } from "@playwright/test";

import { signIn, watch } from "./app";
import { Front } from "./front";
import { Hark, test as base } from "./hark";

interface Fronted {
  hark: Hark;
  front: Front;
}

export const test = base.extend<{ app: Page }, { fronted: Fronted }>({
  fronted: [
    async ({}, use) => {
      const front = await Front.start("/voice/hark");
      const hark = await Hark.start({ HARK_PUBLIC_URL: front.url });
      front.target = hark.listening;
      await use({ hark, front });
      await hark.stop();
      front.stop();
    },
    { scope: "worker" },
  ],
  app: async ({ page, fronted: { hark, front } }, use) => {
    const wrong = watch(page);
    await signIn(page, hark.signInAddress());
    await use(page);
    front.instead = front.build = undefined;
    front.only = () => true;
    expect(wrong.filter((said) => !said.includes("portal.invalid"))).toEqual([]); // where a portal leads, the page's policy does not
  },
});

/** Waits until the worker has this page. */
export async function installed(page: Page) {
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state), { timeout: 20_000 }).toBe("activated");
}

/** As if the app was never there. */
export const forgetWorker = (page: Page) =>
  page.evaluate(async () => {
    await (await navigator.serviceWorker.getRegistration())!.unregister();
    for (const name of await caches.keys()) await caches.delete(name);
  });

/** The names of the versions that the worker keeps. */
export const versions = (page: Page) => page.evaluate(async () => (await caches.keys()).map((name) => name.replace(/.*-/, "")));

/** Which version of the app a page is made of. */
export const versionOf = (page: Page) => page.evaluate(() => document.documentElement.dataset.version!);

/** All that the worker keeps, as text. */
export const cached = (page: Page) =>
  page.evaluate(async () => {
    const texts: string[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) texts.push(await (await cache.match(request))!.text());
    }
    return texts;
  });

/** The list of conversations, which is there wherever somebody is signed in. */
export const list = (page: Page) => page.getByRole("navigation", { name: "Conversations" });

export { expect };
