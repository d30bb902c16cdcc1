/* The test function with the app signed in as the owner, and its sound listened to from the start. */
import type { Page } from "@playwright/test";

import { expect, signIn, test as base, watch } from "./app";
import { listenIn } from "./sound";

export const test = base.extend<{ app: Page }>({
  app: async ({ page, hark }, use) => {
    const wrong = watch(page);
    await listenIn(page);
    await signIn(page, hark.signInAddress());
    await use(page);
    expect(wrong).toEqual([]);
  },
});

export { expect };
