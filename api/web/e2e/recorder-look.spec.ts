/* What axe finds in the recorder's states, on a phone and a wide screen. */
import { expect, test } from "./app";
import { found } from "./axe";
import { recorderStates } from "./recorder-states";

for (const [colorScheme, viewport] of [["light", { width: 390, height: 844 }], ["dark", { width: 1280, height: 800 }]] as const) {
  test.describe(`${colorScheme}, ${viewport.width}`, () => {
    // Nothing half faded in: axe takes its colours for the final ones.
    test.use({ colorScheme, viewport, contextOptions: { reducedMotion: "reduce" } });

    test("axe finds nothing in any state of the recorder", async ({ app, hark }) => {
      await recorderStates(app, hark, await hark.conversation(`Look ${colorScheme}`), async (state) => {
        expect.soft(await found(app, state)).toEqual([]);
        expect(await app.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${state} fits`).toBe(true);
      });
    });
  });
}
