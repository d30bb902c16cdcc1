/* Pictures of the recorder in all its states, beside those of the pages. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { signIn, test } from "./app";
import { recorderStates } from "./recorder-states";
import { prompt, root } from "./speech";

const folder = join(root, ".cache/shots");

for (const colorScheme of ["light", "dark"] as const) {
  for (const viewport of [{ width: 390, height: 844 }, { width: 1280, height: 800 }]) {
    test.describe(`${viewport.width}, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport, deviceScaleFactor: viewport.width < 600 ? 2 : 1 });

      test("the recorder", async ({ page, hark }) => {
        mkdirSync(folder, { recursive: true });
        await signIn(page, hark.signInAddress());
        const conversation = await hark.conversation("Harbour, field notes");
        await hark.ready((await hark.send(conversation, prompt("tt-allbusy"), { title: "At the telephone" })).id);
        await recorderStates(page, hark, conversation, async (state) => {
          await page.waitForTimeout(350);
          await page.screenshot({ path: join(folder, `recorder-${state}-${viewport.width}-${colorScheme}.png`) });
        });
      });
    });
  }
}
