/* A device whose clock is wrong, and a page that is open over midnight. */
import type { Page } from "@playwright/test";

import { expect, signIn, test } from "./app";
import { enter, messages, pause, record, recorder, send, spoken, type Titled } from "./speaking";
import { tone } from "./wav";

const day = 86_400_000;
const days = (page: Page) => page.getByRole("feed").locator(".day");

/** Has the pages of a browser take the time from a clock that is so much ahead. */
const wrongClock = (page: Page, ahead: number) =>
  page.addInitScript((ahead) => {
    const Original = Date;
    window.Date = class extends Original {
      constructor(...args: unknown[]) {
        if (args.length) super(...(args as [number]));
        else super(Original.now() + ahead);
      }
      static now = () => Original.now() + ahead;
    } as DateConstructor;
  }, ahead);

for (const [name, ahead] of [["three days ahead", 3 * day], ["two days behind", -2 * day]] as const) {
  test(`a clock that is ${name} changes neither what is called today, nor what is found of late, nor when a message was spoken`, async ({ page, hark }) => {
    await wrongClock(page, ahead);
    await signIn(page, hark.signInAddress());
    const conversation = await enter(page, hark, `Clock ${name}`);
    await hark.send(conversation, tone(), { title: "Just now" });
    await expect(days(page)).toHaveText("Today");
    const link = page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /^Clock/ }).first();
    await expect(link.locator("time")).toHaveText(/\d:\d\d/);

    const asked = page.waitForRequest((request) => request.url().includes("/v1/search?"));
    await page.goto(`${hark.url}/search?q=something&within=day`);
    const after = Date.parse(new URL((await asked).url()).searchParams.get("after")!);
    expect(Math.abs(after + day - Date.now())).toBeLessThan(60_000);

    const spokenIn = await enter(page, hark, `Spoken ${name}`);
    await page.route("**/whip?*", (route) => route.abort()); // what is sent is the copy, which tells when it was spoken
    await record(page).click();
    await spoken(page, 1);
    await pause(page);
    await send(page);
    await expect(recorder(page)).toBeHidden();
    await expect.poll(async () => (await messages(hark, spokenIn)).length).toBe(1);
    const [message] = (await messages(hark, spokenIn)) as (Titled & { recorded_at: string })[];
    expect(Math.abs(Date.parse(message!.recorded_at) - Date.now())).toBeLessThan(60_000);
  });
}

test("at midnight today becomes yesterday, though nothing is done", async ({ page, context, hark }) => {
  await page.clock.install();
  await signIn(page, hark.signInAddress());
  const conversation = await enter(page, hark, "Over midnight");
  await hark.send(conversation, tone(), { title: "Before midnight" });
  await expect(days(page)).toHaveText("Today");
  await context.setOffline(true); // no answer tells the time
  await page.clock.fastForward("24:00:00");
  await expect(days(page)).toHaveText("Yesterday");
  await context.setOffline(false);
});
