/* Pictures of what passes quickly, of what goes wrong, and of what is tight. */
import type { Page } from "@playwright/test";

import { expect, test } from "./app";
import { camera, enter, furnish, german, looks } from "./looks";

const conversations = /\/v1\/conversations(\?|$)/;
const hang = (page: Page, what: string | RegExp) => page.route(what, () => {});
const fail = (page: Page, what: string | RegExp) => page.route(what, (route) => route.fulfill({ status: 503, json: { detail: "Not now." } }));
const again = (page: Page) => page.unrouteAll({ behavior: "ignoreErrors" });

for (const look of looks) {
  test.describe(`${look.viewport.width}, ${look.colorScheme}`, () => {
    test.use(look);

    test("waiting and trouble", async ({ page, hark }) => {
      const shoot = camera(page, look.colorScheme);
      const { main, harbour } = await furnish(hark);
      await enter(page, hark);

      await hang(page, conversations);
      await page.goto(hark.url);
      await shoot("list-loading");
      await again(page);
      await fail(page, conversations);
      await page.goto(hark.url);
      await expect(page.getByRole("alert")).toBeVisible();
      await shoot("list-trouble");
      await again(page);
      await page.route(conversations, (route) => route.fulfill({ json: { items: [] } }));
      await page.goto(hark.url);
      await expect(page.getByText("No conversations yet")).toBeVisible();
      await shoot("list-empty");
      await again(page);

      await hang(page, /\/messages(\?|$)/);
      await page.goto(`${hark.url}/c/${main}`);
      await shoot("conversation-loading");
      await again(page);
      await fail(page, /\/messages(\?|$)/);
      await page.goto(`${hark.url}/c/${main}`);
      await expect(page.getByRole("alert")).toBeVisible();
      await shoot("conversation-trouble");
      await again(page);

      await hang(page, "**/transcript.json");
      await page.goto(`${hark.url}/m/${harbour}`);
      await expect(page.getByRole("heading", { name: "The crane, the pilot, the bells" })).toBeVisible();
      await shoot("message-loading");
      await again(page);

      await hang(page, "**/v1/search*");
      await page.goto(`${hark.url}/search?q=harbour`);
      await shoot("search-loading");
      await again(page);

      await page.goto(`${hark.url}/c/${main}`);
      await expect(page.getByRole("link", { name: /coupling/ })).toBeVisible();
      await page.context().setOffline(true);
      await page.getByRole("button", { name: "Message menu" }).last().click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      await page.getByRole("button", { name: "Delete message" }).click();
      await expect(page.getByText(/Can’t reach Hark/)).toBeVisible();
      await shoot("link-lost");
      await page.context().setOffline(false);
      await page.route("**/v1/**", (route) => route.abort());
      await page.goto(hark.url);
      await expect(page.getByText(/Can’t reach Hark/)).toBeVisible();
      await shoot("not-reached");
    });
  });
}

test.describe("tight", () => {
  test("320 px, large type, colours of the system", async ({ page, hark }) => {
    const { main, long, harbour } = await furnish(hark);
    await enter(page, hark);
    const visits: [string, string][] = [["list", ""], ["conversation", `/c/${main}`], ["long-names", `/c/${long}`], ["message", `/m/${harbour}`], ["search", "/search?q=pound"], ["settings", "/settings"]];
    for (const [prefix, width, prepare] of [
      ["narrow-", 320, async () => {}],
      ["large-", 390, () => page.evaluate(() => (document.documentElement.style.fontSize = "200%"))],
      ["forced-", 390, () => page.emulateMedia({ forcedColors: "active" })],
    ] as const) {
      await page.setViewportSize({ width, height: 700 });
      const shoot = camera(page, "light", prefix);
      for (const [what, path] of visits) {
        await page.goto(hark.url + path);
        await prepare();
        await expect(page.locator("article, #hit-0, nav li, [data-w], [role=switch]").first()).toBeVisible();
        expect.soft(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${prefix}${what} fits`).toBe(true);
        if (what === "message") await page.locator("[data-w='8']").click();
        await shoot(what);
      }
    }
  });

  for (const width of [320, 390]) {
    test(`German, ${width} px`, async ({ page, hark }) => {
      await page.setViewportSize({ width, height: 780 });
      const shoot = camera(page, "light", "german-");
      const { main, empty, harbour } = await furnish(hark);
      await enter(page, hark);
      await page.goto(hark.url);
      await german(page);
      for (const [what, path] of [["list", ""], ["conversation", `/c/${main}`], ["empty", `/c/${empty}`], ["search-empty", "/search"], ["search", "/search?q=pound"], ["settings", "/settings"]]) {
        await page.goto(hark.url + path);
        await page.waitForLoadState("networkidle");
        await shoot(what!);
      }
      await page.goto(`${hark.url}/m/${harbour}`);
      await page.locator("[data-w='24']").click();
      await page.evaluate(() => getSelection()!.setBaseAndExtent(document.querySelector("[data-w='9']")!, 0, document.querySelector("[data-w='14']")!, 1));
      await shoot("message");
      await page.goto(`${hark.url}/c/${empty}`);
      const box = (await page.locator(".record").boundingBox())!;
      await page.mouse.move(box.x + 20, box.y + 20);
      await page.mouse.down();
      await page.waitForTimeout(1200);
      await page.mouse.move(box.x + 22, box.y + 22);
      await shoot("held");
      await page.mouse.move(box.x + 20, box.y - 60);
      await page.mouse.up();
      await page.waitForTimeout(800);
      await shoot("speaking");
      await page.keyboard.press(" ");
      await page.waitForTimeout(800);
      await shoot("paused");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").getByRole("button", { name: "Verwerfen" }).click();
    });
  }
});
