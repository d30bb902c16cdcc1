/*
 * Pictures of every page and state, to be looked at: `npm run shots` puts them
 * into .cache/shots, at 390 and 1280 px, light and dark.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { expect, signIn, test } from "./app";
import type { Hark } from "./hark";
import { cache, prompt, root } from "./speech";

const folder = join(root, ".cache/shots");

/** A voice that says this, as a file. */
function spoken(name: string, text: string, voice = "en-gb"): string {
  const file = join(cache, `${name}.wav`);
  execFileSync("espeak-ng", ["-v", voice, "-s", "150", "-w", file, text]);
  return file;
}

interface World {
  main: string;
  empty: string;
  harbour: string;
  failed: string;
}

/** Something to look at: people, conversations, messages of every kind. */
async function furnish(hark: Hark): Promise<World> {
  const tokens = ["Ada Lovelace", "Grace Hopper"].map((name) => {
    hark.command("user", "add", name);
    return hark.command("token", "create", "--user", name);
  });
  const people = (await hark.json<{ items: { id: string }[] }>("/v1/users")).items.map((p) => p.id);
  const make = async (title: string) => (await hark.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title, member_ids: people }) })).id;
  const empty = await make("Ideas for the winter");
  for (const title of ["Restoration", "Night shift", "Radio play"]) {
    await hark.ready((await hark.send(await make(title), prompt("vm-record-prepend"))).id);
  }
  const main = await make("Harbour, field notes");
  const harbour = await hark.send(
    main,
    spoken("harbour", "We reached the harbour a little after nine. The crane was already loading the second ship, and the wind came hard from the north. I spoke with the pilot. She says the channel has moved again, about forty metres to the east, and that the old charts are no use any more. I will walk along the mole tomorrow morning and record the bells, if the weather lets me. Please listen to the end of this, because the last minute is the engine of the tug, and I would like to know whether you hear the knocking too."),
    { title: "The crane, the pilot, the bells" },
    tokens[0],
  );
  await hark.ready(harbour.id);
  const reply = await hark.send(main, prompt("tt-allbusy"), { reply_to: harbour.id, reply_at_ms: "8200" }, tokens[1]);
  await hark.ready(reply.id);
  await hark.ready((await hark.send(main, spoken("knock", "Yes, I hear it. It is the coupling, I think, not the engine."), { title: "The knocking" })).id);
  const failed = await hark.send(main, prompt("confbridge-mute-extended"), { title: "From the old recorder" });
  await hark.ready(failed.id);
  return { main, empty, harbour: harbour.id, failed: failed.id };
}

let world: World | undefined;

for (const colorScheme of ["light", "dark"] as const) {
  for (const [name, viewport] of Object.entries({ phone: { width: 390, height: 844 }, wide: { width: 1280, height: 800 } })) {
    test.describe(`${name}, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport, deviceScaleFactor: name === "phone" ? 2 : 1 });

      test("every page and state", async ({ page, hark }) => {
        mkdirSync(folder, { recursive: true });
        const shoot = async (what: string) => {
          await page.waitForTimeout(350);
          await page.screenshot({ path: join(folder, `${what}-${viewport.width}-${colorScheme}.png`) });
        };
        world ??= await furnish(hark);
        const { main, empty, harbour, failed } = world;
        await page.goto(hark.url);
        await expect(page.getByRole("heading", { name: "Say it once." })).toBeVisible();
        await shoot("welcome");
        const address = hark.signInAddress();
        await page.goto(address);
        await shoot("sign-in");
        await signIn(page, address);
        await page.goto(hark.url);
        await expect(page.getByRole("link", { name: /^Restoration/ })).toBeVisible();
        await shoot("list");
        await withStates(page, main, failed);
        await page.goto(`${hark.url}/c/${main}`);
        await expect(page.getByRole("link", { name: /coupling/ })).toBeVisible();
        await shoot("conversation");
        await page.getByRole("button", { name: "Message menu" }).last().click();
        await shoot("message-menu");
        await page.getByRole("menuitem", { name: "Delete" }).click();
        await shoot("confirm");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: /members$/ }).click();
        await shoot("members");
        await page.keyboard.press("Escape");
        await page.goto(`${hark.url}/c/${empty}`);
        await expect(page.getByText("Nothing said here yet").last()).toBeVisible();
        await shoot("conversation-empty");
        await page.goto(`${hark.url}/m/${harbour}`);
        await page.locator("[data-w='24']").click();
        await page.waitForTimeout(900);
        await page.getByRole("button", { name: /^Pause/ }).first().click();
        await shoot("message");
        await page.evaluate(() => getSelection()!.setBaseAndExtent(document.querySelector("[data-w='9']")!, 0, document.querySelector("[data-w='14']")!, 1));
        await shoot("selection");
        await page.evaluate(() => getSelection()!.removeAllRanges());
        await page.getByRole("button", { name: /Speed and silence/ }).click();
        await shoot("player-options");
        await page.keyboard.press("Escape");
        await page.goto(`${hark.url}/search`);
        await shoot("search-empty");
        await page.getByRole("searchbox").fill("the");
        await page.getByRole("searchbox").fill("pound");
        await expect(page.locator("#hit-0")).toBeVisible();
        await shoot("search");
        await page.getByRole("searchbox").fill("harbor pilott");
        await page.waitForTimeout(500);
        await shoot("search-corrected");
        await page.getByRole("searchbox").fill("submarine");
        await expect(page.getByRole("heading", { name: /Nothing found/ })).toBeVisible();
        await shoot("search-none");
        await page.goto(`${hark.url}/settings`);
        await expect(page.getByText("This browser")).toBeVisible();
        await shoot("settings");
        await page.getByRole("button", { name: "New token" }).click();
        await page.getByRole("textbox", { name: "What it is for" }).fill("Backup");
        await page.getByRole("button", { name: "Make token" }).click();
        await expect(page.getByRole("textbox", { name: "New token" })).toBeVisible();
        await shoot("token");
        await page.keyboard.press("Escape");
        await page.goto(hark.url);
        await page.getByRole("button", { name: "New conversation" }).click();
        await shoot("new-conversation");
        await page.goto(`${hark.url}/c/01a204c2-4dc4-7140-b091-ce2f79242aa2`);
        await shoot("not-found");
        await page.goto(`${hark.url}/c/${main}`);
        await page.evaluate(() => localStorage.setItem("hark.prefs", JSON.stringify({ language: "de" })));
        await page.reload();
        await shoot("german");
        await page.evaluate(() => localStorage.clear());
        await page.route("**/v1/**", (route) => route.abort());
        await page.reload();
        await shoot("offline");
      });
    });
  }
}

/** States that pass too quickly for a picture, as the API would tell them. */
async function withStates(page: Page, conversation: string, failed: string) {
  await page.route(`**/v1/conversations/${conversation}/messages*`, async (route) => {
    const list = (await (await route.fetch()).json()) as { items: Record<string, unknown>[] };
    for (const item of list.items) {
      if (item.id === failed) Object.assign(item, { state: "failed", transcript_version: 0, failure: { reason: "The recogniser stopped while it listened.", can_retry: true } });
      if (item.reply_to) Object.assign(item, { state: "processing", progress: 0.6, transcript_version: 0 });
    }
    await route.fulfill({ json: list });
  });
}
