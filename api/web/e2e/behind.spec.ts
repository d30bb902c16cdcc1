/*
 * A day of many tabs, behind real proxies with a path and a password: what comes
 * is seen in all, the server is restarted as a new version while somebody
 * speaks, and one sign-out closes them all.
 */
import type { BrowserContext, Page } from "@playwright/test";

import { signIn, watch } from "./app";
import { Build } from "./build";
import { Front } from "./front";
import { expect, Hark, test } from "./hark";
import { isInstalled, password, proxies, startProxy } from "./proxy";
import { installed, versionOf } from "./shell";
import { tone } from "./wav";
import { expectWhole, messages, pause, record, send, spoken } from "./speaking";

const tabs = 10;

/** Opens a page in a window of its own. */
async function inNewWindow(context: BrowserContext, page: Page): Promise<Page> {
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send("Target.getTargetInfo");
  const browser = await context.browser()!.newBrowserCDPSession();
  const opened = context.waitForEvent("page");
  await browser.send("Target.createTarget", { url: "about:blank", browserContextId: targetInfo.browserContextId!, newWindow: true });
  return opened;
}

for (const name of Object.keys(proxies) as (keyof typeof proxies)[]) {
  test(`ten tabs in two windows, an upgrade, a restart and a sign-out behind ${name}`, async ({ context, page }) => {
    test.skip(name !== "nginx" && !isInstalled(name), `${name} is not installed`);
    test.setTimeout(300_000); // ten pages load several times each
    const front = await Front.start("/hark", { takeOff: false });
    const proxy = await startProxy(name, `127.0.0.1:${front.port}`);
    const hark = await Hark.start({ HARK_PUBLIC_URL: `${proxy.origin}/hark` });
    front.target = hark.listening;
    try {
      const conversation = await hark.conversation("Ten tabs");
      // The proxy's password is asked for once.
      const { username, password: secret } = password;
      await page.goto(proxy.origin.replace("//", `//${username}:${secret}@`) + "/hark/page.css");
      await signIn(page, hark.signInAddress());
      await installed(page);
      const other = await inNewWindow(context, page);
      const all = [page, other];
      while (all.length < tabs) all.push(await context.newPage());
      const wrong = all.map(watch);
      for (const one of all) {
        await one.goto(`${hark.url}/c/${conversation}`);
        await expect(one.getByRole("button", { name: "Microphone" })).toBeVisible({ timeout: 20_000 });
      }
      const seen = async (title: string) => {
        await hark.send(conversation, tone(1), { title });
        for (const one of all) await expect(one.getByRole("article", { name: new RegExp(title) })).toBeVisible({ timeout: 20_000 });
      };
      await seen("To all of you");

      // Somebody speaks in one; the server comes back as another version.
      const before = await versionOf(page);
      await record(page).click();
      await spoken(page, 1);
      front.build = Build.next("/hark");
      const { version } = front.build;
      await hark.restart();
      front.target = hark.listening;
      for (const one of all) await expect(one.getByRole("button", { name: "Reload", exact: true })).toBeVisible({ timeout: 40_000 });
      await seen("Still here");
      await other.getByRole("button", { name: "Reload", exact: true }).click({ noWaitAfter: true });
      await page.getByRole("button", { name: "Reload", exact: true }).click({ noWaitAfter: true });
      await expect.poll(() => versionOf(other).catch(() => ""), { timeout: 40_000 }).toBe(version);
      expect(await versionOf(page)).toBe(before); // it is held
      await spoken(page, 3);
      const length = await pause(page);
      await send(page);
      await expect.poll(() => versionOf(page).catch(() => ""), { timeout: 20_000 }).toBe(version);
      const recorded = async () => (await messages(hark, conversation)).filter((message) => !["To all of you", "Still here"].includes(message.title) && message.duration_ms !== undefined);
      await expect.poll(async () => (await recorded()).length, { timeout: 30_000 }).toBe(1);
      expectWhole((await recorded())[0]!.duration_ms, length);
      await seen("After all that"); // in tabs of both versions

      // One sign-out.
      await other.goto(`${hark.url}/settings`);
      await other.getByRole("button", { name: "Sign out" }).click();
      for (const one of all) {
        await expect(one.getByRole("heading", { name: "Say it once." })).toBeVisible({ timeout: 20_000 });
        expect(await one.locator("html").innerText()).not.toMatch(/Ten tabs|To all of you|After all that/);
      }
      expect(wrong.flat()).toEqual([]);
    } finally {
      await hark.stop();
      proxy.stop();
      front.stop();
    }
  });
}
