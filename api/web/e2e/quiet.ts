/* The test function with a Hark whose recogniser hears nothing: words are not the subject. */
import { test as base } from "./app";
import { Hark } from "./hark";
import { Recogniser } from "./recogniser";

export const test = base.extend<object, { hark: Hark }>({
  hark: [
    async ({}, use) => {
      const recogniser = await Recogniser.start();
      recogniser.finish();
      const hark = await Hark.start(recogniser.settings);
      await use(hark);
      await hark.stop();
      recogniser.stop();
    },
    { scope: "worker" },
  ],
});
