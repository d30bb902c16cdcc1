/*
 * Pictures of every page and state, to be looked at: `npm run shots` puts them
 * into .cache/shots, at 390 and 1280 px, light and dark.
 */
import { expect, signIn, test } from "./app";
import { camera, enter, furnish, looks, withStates } from "./looks";

for (const look of looks) {
  test.describe(`${look.viewport.width}, ${look.colorScheme}`, () => {
    test.use(look);

    test("the door", async ({ page, hark }) => {
      const shoot = camera(page, look.colorScheme);
      await page.goto(hark.url);
      await expect(page.getByRole("heading", { name: "Say it once." })).toBeVisible();
      await shoot("welcome");
      const address = hark.signInAddress();
      await page.goto(address);
      await shoot("sign-in");
      await signIn(page, address);
      await page.goto(address);
      await expect(page.getByRole("alert")).toBeVisible();
      await shoot("sign-in-used");
    });

    test("conversations", async ({ page, hark }) => {
      const shoot = camera(page, look.colorScheme);
      const furnished = await furnish(hark);
      await enter(page, hark);
      await page.goto(hark.url);
      await expect(page.getByRole("link", { name: /^Restoration/ })).toBeVisible();
      await shoot("list");
      await page.getByRole("button", { name: "New conversation" }).click();
      await shoot("new-conversation");
      await page.keyboard.press("Escape");

      await withStates(page, furnished);
      await page.goto(`${hark.url}/c/${furnished.main}`);
      await expect(page.getByRole("link", { name: /coupling/ })).toBeVisible();
      await shoot("conversation");
      await page.getByRole("button", { name: "Message menu" }).last().click();
      await shoot("message-menu");
      await page.getByRole("menuitem", { name: "Delete" }).click();
      await shoot("confirm");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Message menu" }).last().click();
      await page.getByRole("menuitem", { name: "Edit title" }).click();
      await shoot("retitle");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /members$/ }).click();
      await expect(page.getByText("Grace Hopper").last()).toBeVisible();
      await shoot("members");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Conversation menu" }).click();
      await shoot("conversation-menu");
      await page.keyboard.press("Escape");
      await page.goto(`${hark.url}/c/${furnished.empty}`);
      await expect(page.getByText("No messages yet").last()).toBeVisible();
      await shoot("conversation-empty");
      await page.goto(`${hark.url}/c/${furnished.long}`);
      await expect(page.getByRole("button", { name: /^Play/ })).toBeVisible();
      await shoot("long-names");
      await page.goto(`${hark.url}/c/01a204c2-4dc4-7140-b091-ce2f79242aa2`);
      await shoot("not-found");
      await page.unrouteAll({ behavior: "ignoreErrors" }); // what is still asked for ends with the test
    });

    test("a message", async ({ page, hark }) => {
      const shoot = camera(page, look.colorScheme);
      const furnished = await furnish(hark);
      await enter(page, hark);
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.goto(`${hark.url}/m/${furnished.harbour}`);
      await page.locator("[data-w='24']").click();
      await page.waitForTimeout(900);
      await page.getByRole("button", { name: /^Pause/ }).first().click();
      await shoot("message");
      await page.evaluate(() => getSelection()!.setBaseAndExtent(document.querySelector("[data-w='9']")!, 0, document.querySelector("[data-w='14']")!, 1));
      await shoot("selection");
      await page.evaluate(() => getSelection()!.removeAllRanges());
      if (look.viewport.width < 760) await page.getByRole("button", { name: /^Open player/ }).click();
      await page.getByRole("button", { name: /Playback options/ }).click();
      await shoot("player-options");
      await page.keyboard.press("Escape");
      if (look.viewport.width < 760) {
        await shoot("player");
        await page.keyboard.press("Escape");
      }
      await page.getByRole("button", { name: "Message menu" }).last().click();
      await shoot("reader-menu");
      await page.getByRole("menuitem", { name: "Copy link" }).click();
      await expect(page.getByText("Link copied.")).toBeVisible();
      await shoot("notice");
      await page.goto(`${hark.url}/c/${furnished.main}`);
      await page.getByRole("button", { name: /^Play/ }).first().click();
      await expect(page.getByRole("region", { name: "Player" })).toBeVisible();
      await shoot("conversation-playing");
      await withStates(page, furnished);
      await page.goto(`${hark.url}/m/${furnished.failed}`);
      await expect(page.getByText("Transcription failed").last()).toBeVisible();
      await shoot("message-failed");
      await page.unrouteAll({ behavior: "ignoreErrors" }); // what is still asked for ends with the test
    });

    test("search", async ({ page, hark }) => {
      const shoot = camera(page, look.colorScheme);
      await furnish(hark);
      await enter(page, hark);
      await page.goto(`${hark.url}/search`);
      await expect(page.getByText("Search every word")).toBeVisible();
      await shoot("search-empty");
      await page.getByRole("searchbox").fill("pound");
      await expect(page.locator("#hit-0")).toBeVisible();
      await shoot("search");
      await page.keyboard.press("Enter");
      await page.getByRole("combobox", { name: "Conversation" }).selectOption({ label: "Night shift" });
      await page.getByRole("combobox", { name: "Date" }).selectOption("week");
      await expect(page.locator("#hit-0")).toBeVisible();
      await page.locator("#hit-0").click();
      await expect(page.getByRole("region", { name: "Player" })).toBeVisible();
      await shoot("search-filtered");
      await page.getByRole("button", { name: "Clear filters" }).click();
      await page.getByRole("searchbox").fill("harbor pilott");
      await expect(page.getByText(/No exact matches/)).toBeVisible();
      await shoot("search-corrected");
      await page.getByRole("searchbox").fill("submarine");
      await expect(page.getByRole("heading", { name: /No results for/ })).toBeVisible();
      await shoot("search-none");
      await page.getByRole("searchbox").fill("restor");
      await expect(page.getByRole("heading", { name: "Conversations" }).last()).toBeVisible();
      await shoot("search-named");
      await page.getByRole("searchbox").fill("ada");
      await page.getByRole("link", { name: "Messages from Ada" }).click();
      await expect(page.locator("#hit-0")).toBeVisible();
      await shoot("search-listed");
      await page.route("**/v1/search?*", (route) => route.abort());
      await page.getByRole("searchbox").fill("pound");
      await expect(page.getByRole("alert")).toBeVisible();
      await shoot("search-failed");
      await page.unroute("**/v1/search?*");
      await page.route("**/v1/search?*", () => new Promise(() => {})); // never answers
      await page.goto(`${hark.url}/search?q=pound`);
      await expect(page.getByRole("status", { name: "Loading" })).toBeVisible();
      await shoot("search-slow");
      await page.unrouteAll({ behavior: "ignoreErrors" });
    });

    test("settings", async ({ page, hark }) => {
      const shoot = camera(page, look.colorScheme);
      await furnish(hark);
      await enter(page, hark);
      await page.goto(`${hark.url}/settings`);
      await expect(page.getByText("This browser")).toBeVisible();
      await shoot("settings");
      await page.getByRole("button", { name: "Show shortcuts" }).click();
      await shoot("shortcuts");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "New token" }).click();
      await shoot("token-new");
      await page.getByRole("textbox", { name: "Name" }).fill("Backup");
      await page.getByRole("button", { name: "Create token" }).click();
      await expect(page.getByRole("textbox", { name: "New token" })).toBeVisible();
      await shoot("token");
      await page.keyboard.press("Escape");
      await page.getByRole("link", { name: "API docs" }).scrollIntoViewIfNeeded();
      await shoot("settings-access");
      await page.getByRole("button", { name: "Revoke: This browser" }).click();
      await shoot("token-end");
    });

    test("people", async ({ page, hark, browser }) => {
      const shoot = camera(page, look.colorScheme);
      const { main } = await furnish(hark);
      await enter(page, hark);
      await page.goto(`${hark.url}/settings/members`);
      await expect(page.getByText("Grace Hopper").last()).toBeVisible();
      await shoot("roster");
      await page.getByRole("button", { name: "Deactivate: Grace Hopper" }).click();
      await shoot("roster-deactivate");
      await page.keyboard.press("Escape");
      await page.goto(`${hark.url}/settings/invitations`);
      await page.getByRole("button", { name: "New invitation" }).click();
      await page.getByRole("dialog").getByText("Guest", { exact: true }).click();
      await shoot("invitation-new");
      await page.getByRole("dialog").getByRole("checkbox").first().check();
      await page.getByRole("button", { name: "Create link" }).click();
      await expect(page.getByRole("button", { name: "Copy link" })).toBeVisible();
      await shoot("invitation-link");
      await page.keyboard.press("Escape");
      await shoot("invitations");
      const made = await hark.json<{ id: string; link: string }>("/v1/invitations", { method: "POST", body: JSON.stringify({ role: "guest", conversation_ids: [main] }) });
      await page.goto(made.link);
      await shoot("join-signed-in");
      const context = await browser.newContext(look);
      const visitor = await context.newPage();
      const shootVisitor = camera(visitor, look.colorScheme);
      await visitor.goto(made.link);
      await shootVisitor("join");
      await hark.json(`/v1/invitations/${made.id}`, { method: "DELETE" }).catch(() => {}); // 204 has no JSON
      await visitor.goto(made.link);
      await shootVisitor("join-over");
      await context.close();
    });
  });
}
