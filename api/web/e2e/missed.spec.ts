/*
 * What was not understood or not decoded is shown in its place, and played from
 * there; never "No speech". The recogniser rarely misses anything on
 * demand, so its answer is changed on the way.
 */
import type { Page } from "@playwright/test";

import type { Gap, Segment, Transcript } from "../src/api/client";
import { expect, noteLit, test as base } from "./app";
import { accessible } from "./axe";
import { type Hark } from "./hark";
import { camera, german, looks } from "./looks";
import { lasting } from "./speech";

const gaps: Gap[] = [
  { start_ms: 3000, end_ms: 4200, reason: "not_understood" },
  { start_ms: 9000, end_ms: 21_000, reason: "not_decoded" },
];

const spoken = (start_ms: number, text: string, channel?: 1 | 2): Segment => {
  const words = text.split(" ").map((word, i) => ({ text: word, start_ms: start_ms + i * 200, end_ms: start_ms + i * 200 + 180 }));
  return { start_ms, end_ms: words.at(-1)!.end_ms, text, words, ...(channel && { channel }) };
};

const call = [
  spoken(100, "Good morning, this is the harbour office speaking.", 1),
  spoken(4300, "Yes, good morning. When does the ship come in?", 2),
  spoken(5000, "One moment.", 1),
  spoken(6400, "I was told that it would be Thursday.", 2),
];

const test = base.extend<object, { sent: { conversation: string; id: string } }>({
  sent: [
    async ({ hark }: { hark: Hark }, use: (sent: { conversation: string; id: string }) => Promise<void>) => {
      const conversation = await hark.conversation("Missed");
      const { id } = await hark.send(conversation, lasting("confbridge-mute-extended"), { title: "Hard to hear" });
      await hark.ready(id);
      await use({ conversation, id });
    },
    { scope: "worker" },
  ],
});

const heard = async (page: Page, hark: Hark, id: string, changes: Partial<Transcript>) => {
  const changed = { ...(await hark.json<Transcript>(`/v1/messages/${id}/transcript.json`)), ...changes };
  await page.route("**/transcript.json", (route) => route.fulfill({ json: { ...changed, text: changed.segments.map((segment) => segment.text).join(" ") } }));
};

test("gaps and channels stand in order of time, and a gap plays from its start", async ({ app, hark, sent }) => {
  await heard(app, hark, sent.id, { segments: call, gaps, language_doubt: true });
  await app.goto(`${hark.url}/m/${sent.id}`);
  const rows = app.locator(".transcript .gap, .transcript .paragraph");
  await expect(rows).toHaveText([
    /^Channel 1\s*0:00\s*Good morning, this is the harbour office speaking\.$/,
    /^0:03\s*Not understood, 0:03 to 0:04 – Listen$/,
    /^Channel 2\s*0:04\s*Yes, good morning\. When does the ship come in\?$/,
    /^Channel 1\s*0:05\s*One moment\.$/,
    /^Channel 2\s*0:06\s*I was told that it would be Thursday\.$/,
    /^0:09\s*Recording damaged, 0:09 to 0:21 – Listen$/,
  ]);
  await expect(app.locator(".transcript").getByText("This may not be English, so the words may be wrong.")).toBeVisible();

  const gap = app.getByRole("button", { name: /^Not understood, 0:03 to 0:04/ });
  const lit = await noteLit(app);
  await gap.click();
  await expect.poll(lit).toEqual(expect.arrayContaining([expect.stringContaining("Not understood, 0:03 to 0:04"), expect.stringMatching(/^\d+$/)])); // it goes on with the words after it
  await expect(gap).not.toHaveClass(/lit/);

  await app.goto(`${hark.url}/c/${sent.conversation}`);
  await expect(app.getByText("speaking. […] Yes, good morning.")).toBeVisible();
  await expect(app.getByText("This may not be English")).toBeVisible();
});

test("where nothing was understood nobody is said to be silent", async ({ app, hark, sent }) => {
  for (const [only, said] of [
    [gaps, "There is speech here"],
    [gaps.slice(1), "This recording is damaged"],
    [[], "No speech"],
  ] as const) {
    await app.unrouteAll({ behavior: "wait" });
    await heard(app, hark, sent.id, { segments: [], gaps: [...only], language_doubt: false });
    await app.goto(`${hark.url}/c/${sent.conversation}`);
    await expect(app.locator(".words")).toContainText(said);
    await app.goto(`${hark.url}/m/${sent.id}`);
    await expect(app.locator(".transcript .gap")).toHaveCount(only.length);
    await expect(app.locator(".transcript").getByText("No speech")).toHaveCount(only.length ? 0 : 1);
  }
});

for (const look of looks) {
  test.describe(`${look.viewport.width}, ${look.colorScheme}`, () => {
    test.use({ ...look, contextOptions: { reducedMotion: "reduce" } }); // nothing half faded in
    test("axe finds nothing", async ({ app, hark, sent }) => {
      const shoot = process.env.HARK_SHOTS ? camera(app, look.colorScheme, "missed-") : async () => {};
      await heard(app, hark, sent.id, { segments: call, gaps, language_doubt: true });
      await app.goto(`${hark.url}/c/${sent.conversation}`);
      await expect(app.locator(".words")).toContainText("[…]");
      await shoot("conversation");
      await app.goto(`${hark.url}/m/${sent.id}`);
      await app.getByRole("button", { name: /^Recording damaged/ }).click();
      await expect(app.locator(".gap.lit")).toBeVisible();
      await shoot("message");
      await accessible(app);
      await german(app);
      await app.reload();
      await expect(app.getByRole("button", { name: /^Nicht verstanden, 0:03 bis 0:04/ })).toBeVisible();
      expect(await app.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      await shoot("german");
    });
  });
}
