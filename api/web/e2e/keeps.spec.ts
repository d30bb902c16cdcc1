/* What is shown stays when more of it can't be had, and a long selection is all of what was selected. */
import type { Page, Route } from "@playwright/test";

import { expect, test } from "./app";
import { pointIn, wheel } from "./finger";
import { prompt } from "./speech";
import { tone } from "./wav";

const card = (page: Page, title: string) => page.getByRole("article").filter({ hasText: title });

/** Has pages of a list hold fewer than the app asks for, and those behind the first fail as long as it is told to. */
async function inPagesOf(page: Page, of: RegExp, limit: number) {
  const network = { down: true, failed: 0 };
  await page.route(of, (route: Route) => {
    const address = new URL(route.request().url());
    if (network.down && address.searchParams.has("cursor")) return (network.failed++, route.abort());
    address.searchParams.set("limit", String(limit));
    return route.continue({ url: address.href });
  });
  return network;
}

test("a conversation whose older messages can't be read keeps the others, and tries again in place", async ({ app, hark }) => {
  const conversation = await hark.conversation("Keeps");
  for (let i = 1; i <= 9; i++) await hark.send(conversation, tone(0.1), { title: `Message ${i}` });
  const network = await inPagesOf(app, /\/messages\?/, 4);
  await app.goto(`${hark.url}/c/${conversation}`);
  const trouble = app.getByRole("feed").getByRole("alert");
  await expect(trouble).toContainText("Try again");
  for (const i of [6, 7, 8, 9]) await expect(card(app, `Message ${i}`)).toBeAttached();
  const { failed } = network;
  await trouble.getByRole("button", { name: "Try again" }).click();
  await expect.poll(() => network.failed).toBeGreaterThan(failed); // by more, where it was just tried by itself
  await expect(trouble).toContainText("Try again");
  await expect(card(app, "Message 9")).toBeAttached();
  network.down = false;
  await trouble.getByRole("button", { name: "Try again" }).click({ timeout: 5000 }).catch(() => expect(trouble).toHaveCount(0)); // it may try by itself just before
  await expect(card(app, "Message 1")).toBeAttached();
  await expect(trouble).toHaveCount(0);
});

test("search results stay when more can't be had", async ({ app, hark }) => {
  const conversation = await hark.conversation("Found");
  for (let i = 1; i <= 3; i++) {
    const { id } = await hark.send(conversation, prompt("tt-allbusy"), { title: `Busy ${i}` });
    await hark.ready(id);
  }
  const network = await inPagesOf(app, /\/v1\/search\?/, 2);
  await app.goto(`${hark.url}/search?q=telemarketers&conversation=${conversation}`);
  const hits = app.getByRole("link", { name: /^Busy/ });
  await expect(hits).toHaveCount(2);
  await app.getByRole("button", { name: "Show more" }).click();
  await expect(app.getByRole("alert")).toBeVisible();
  await expect(hits).toHaveCount(2);
  network.down = false;
  await app.getByRole("button", { name: "Try again" }).click();
  await expect(hits).toHaveCount(3);
});

test("the list of conversations stays when more can't be had, and when it is read again", async ({ app, hark }) => {
  for (let i = 1; i <= 5; i++) await hark.conversation(`Listed ${i}`);
  const network = await inPagesOf(app, /\/v1\/conversations\?/, 2);
  await app.goto(hark.url);
  const listed = app.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /^Listed/ });
  await expect(listed).toHaveCount(2);
  await app.getByRole("button", { name: "Show more" }).click();
  await expect(app.getByRole("alert")).toBeVisible();
  await expect(listed).toHaveCount(2);
  network.down = false;
  await app.getByRole("alert").getByRole("button", { name: "Try again" }).click();
  await expect(listed).toHaveText([/Listed 5/, /Listed 4/, /Listed 3/, /Listed 2/]);
  await hark.conversation("Listed 6"); // as it comes, what was listed stays
  await expect(listed).toHaveText([/Listed 6/, /Listed 5/, /Listed 4/, /Listed 3/, /Listed 2/]);
});

test("a selection over more than is in the page is quoted whole", async ({ app, hark, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const conversation = await hark.conversation("Long");
  const { id } = await hark.send(conversation, prompt("tt-allbusy"), { title: "Long talk" });
  await hark.ready(id);
  const transcript = await hark.json<object>(`/v1/messages/${id}/transcript.json`);
  // The sound is short; the words are those of a long talk.
  const segments = Array.from({ length: 60 }, (_, s) => {
    const words = Array.from({ length: 40 }, (_, w) => ({ text: `w${s * 40 + w}${w === 39 ? "." : ""}`, start_ms: s * 20_000 + w * 300, end_ms: s * 20_000 + w * 300 + 250 }));
    return { start_ms: words[0]!.start_ms, end_ms: words.at(-1)!.end_ms, text: words.map(({ text }) => text).join(" "), words };
  });
  await app.route("**/transcript.json", (route) => route.fulfill({ json: { ...transcript, segments, gaps: [] } }));
  await app.goto(`${hark.url}/m/${id}`);
  const word = (n: number) => app.locator(`[data-w="${n}"]`);
  const list = app.locator(".transcript .box");
  const clipboard = () => app.evaluate(() => navigator.clipboard.readText());
  const quoted = async () => {
    await app.evaluate(() => navigator.clipboard.writeText(""));
    await app.getByRole("button", { name: "Copy quote" }).click();
    await expect.poll(clipboard).not.toBe("");
    return (await clipboard()).match(/w\d+/g)!.map((text) => Number(text.slice(1)));
  };
  // While a list is scrolled its rows come and go.
  const intoView = (n: number) => expect(() => word(n).scrollIntoViewIfNeeded({ timeout: 1000 })).toPass();
  const wheelTo = async (n: number) => {
    await list.hover();
    await expect.poll(async () => (await wheel(app, 500), await word(n).count()), { intervals: [60], timeout: 30_000 }).toBe(1);
    await intoView(n);
  };

  // Drawn with the mouse, over a list that is scrolled meanwhile.
  const from = await pointIn(word(45), 0.1);
  await app.mouse.move(from.x, from.y);
  await app.mouse.down();
  await app.mouse.move(from.x + 60, from.y + 30);
  await expect.poll(async () => (await wheel(app, 500), await word(1200).count()), { intervals: [60], timeout: 30_000 }).toBe(1);
  await intoView(1200);
  await app.mouse.move(5, from.y); // beyond the words, and back
  const to = await pointIn(word(1200), 0.9);
  await app.mouse.move(to.x, to.y, { steps: 3 });
  await app.mouse.up();
  const all = await quoted();
  expect(all[0]).toBe(45);
  expect(all.length).toBe(all.at(-1)! - 45 + 1);
  expect(all.at(-1)).toBeGreaterThan(1150);

  // A press, and another with Shift far below.
  await app.evaluate(() => getSelection()!.empty());
  await list.evaluate((box) => (box.scrollTop = 0));
  await word(10).click();
  await wheelTo(2000);
  await word(2000).click({ modifiers: ["Shift"] });
  const pressed = await quoted();
  expect([pressed[0], pressed.at(-1), pressed.length]).toEqual([10, 2000, 1991]);
});

test("the next message plays in a hidden page, though nothing has told of it", async ({ app, hark }) => {
  const conversation = await hark.conversation("Hidden");
  await hark.ready((await hark.send(conversation, tone(3), { title: "First" })).id);
  await app.addInitScript(() => {
    // As in a hidden page, nothing is drawn.
    const draw = window.requestAnimationFrame.bind(window);
    let hidden = false;
    window.requestAnimationFrame = (then) => (hidden ? 0 : draw(then));
    Object.defineProperty(document, "hidden", { get: () => hidden });
    addEventListener("hide", () => {
      hidden = true;
      document.dispatchEvent(new Event("visibilitychange"));
    });
  });
  await app.route(/\/v1\/events/, (route) => route.abort()); // it is asleep
  await app.goto(`${hark.url}/c/${conversation}`);
  await hark.send(conversation, tone(60), { title: "Second" });
  await app.getByRole("button", { name: "Play First" }).first().click();
  await app.evaluate(() => dispatchEvent(new Event("hide")));
  const player = app.getByRole("region", { name: "Player" });
  await expect(player.getByRole("button", { name: "Pause Second" })).toBeVisible({ timeout: 15_000 });
  const at = () => app.evaluate(() => navigator.mediaSession.metadata?.title);
  await expect.poll(at).toBe("Second");
  await expect.poll(async () => Number(await player.getByRole("slider").getAttribute("aria-valuenow"))).toBeGreaterThan(0); // and what shows it goes on
});
