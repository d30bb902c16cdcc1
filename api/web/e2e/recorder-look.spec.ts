/* What axe finds in the recorder's states, on a phone and a wide screen. */
import AxeBuilder from "@axe-core/playwright";

import { expect, test } from "./app";
import { recorderStates } from "./recorder-states";

for (const [colorScheme, viewport] of [["light", { width: 390, height: 844 }], ["dark", { width: 1280, height: 800 }]] as const) {
  test.describe(`${colorScheme}, ${viewport.width}`, () => {
    // Nothing half faded in: axe takes its colours for the final ones.
    test.use({ colorScheme, viewport, contextOptions: { reducedMotion: "reduce" } });

    test("axe finds nothing in any state of the recorder", async ({ app, hark }) => {
      await recorderStates(app, hark, await hark.conversation(`Look ${colorScheme}`), async (state) => {
        const { violations } = await new AxeBuilder({ page: app }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
        expect.soft(violations.map((v) => `${state}: ${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 160)} ${n.failureSummary ?? ""}`).join(" | ")}`)).toEqual([]);
        expect(await app.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${state} fits`).toBe(true);
      });
    });
  });
}
