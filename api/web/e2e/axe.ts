/* What axe finds on a page, which is to be nothing. */
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Waits until a page is drawn as it was last asked for, with nothing half faded in: axe takes its colours for the final ones. */
async function drawn(page: Page) {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame(); // styles of what changed before this are all made in it
    const moving = document.getAnimations().filter((one) => one.playState === "running" && one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(moving.map((one) => one.finished.catch(() => undefined)));
    await frame();
  });
}

/** What axe finds, a line for each. */
export async function found(page: Page, what = "", without: string[] = []): Promise<string[]> {
  await drawn(page);
  const { violations } = await new AxeBuilder({ page }).withTags(tags).disableRules(without).analyze();
  return violations.map((v) => `${what} ${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 160)} ${n.failureSummary ?? ""}`).join(" | ")}`);
}

/** Says that axe finds nothing on a page as it stands. */
export const accessible = async (page: Page, what = "") => expect(await found(page, what)).toEqual([]);

/** Says that of a page too, and that nothing of it is beside the screen. */
export async function fits(page: Page, what: string) {
  await accessible(page, what);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} is too wide`).toBe(true);
}
