/*
 * Old messages in their place: an address or a hit shows what was said around
 * them, it goes on both ways from there, and what arrives meanwhile is not lost.
 */
import type { Locator, Page } from "@playwright/test";

import { expect, test as base, upToDate } from "./app";
import { wheel } from "./finger";
import { type Hark } from "./hark";
import { prompt } from "./speech";

interface Known {
  id: string;
  title: string;
  created_at: string;
}

/** All messages of a conversation, the oldest first. */
async function all(hark: Hark, conversation: string): Promise<Known[]> {
  const list: Known[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page: { items: Known[]; next_cursor?: string } = await hark.json(`/v1/conversations/${conversation}/messages?limit=100${cursor && `&cursor=${cursor}`}`);
    list.push(...page.items);
    cursor = page.next_cursor;
  }
  return list.reverse();
}

/** A conversation of three hundred messages, seeded once. */
const test = base.extend<object, { past: { conversation: string; messages: Known[] } }>({
  past: [
    async ({ hark }, use) => {
      const conversation = await hark.conversation("Long ago");
      hark.command("bench", "seed", conversation, "--messages=300");
      await use({ conversation, messages: await all(hark, conversation) });
    },
    { scope: "worker" },
  ],
});

const card = (page: Page, id: string) => page.locator(`#message-${id}`);
const newest = (page: Page) => page.getByRole("button", { name: "Jump to newest" });
const inOrder = (page: Page) => page.getByRole("article").evaluateAll((cards) => cards.map((one) => one.id.slice("message-".length)));

/** Scrolls until something is there. */
async function scroll(page: Page, by: number, until: () => Promise<boolean>) {
  await page.locator("[role=feed] .box").hover();
  await expect.poll(async () => (await wheel(page, by), await until()), { intervals: [50], timeout: 60_000 }).toBe(true);
}

/** Whether something is well in view. */
async function isIn(one: Locator): Promise<boolean> {
  const box = (await one.isVisible()) ? await one.boundingBox({ timeout: 500 }).catch(() => null) : null;
  return box !== null && box.y > 100 && box.y < 500;
}

/** Checks that the cards in the page are neighbours, without holes. */
async function withoutHoles(page: Page, messages: { id: string }[]) {
  const places = (await inOrder(page)).map((id) => messages.findIndex((message) => message.id === id));
  expect(places).toEqual(places.map((_, i) => places[0]! + i));
}

test("an old message is shown among its neighbours, and it goes on both ways", async ({ app, hark, past: { conversation, messages } }) => {
  const old = messages[100]!;
  const read: string[] = [];
  app.on("request", (request) => void (request.url().includes("/messages?") && read.push(request.url())));
  await app.setViewportSize({ width: 1280, height: 900 });
  await app.goto(`${hark.url}/m/${old.id}?t=700`);
  await expect(card(app, old.id)).toBeInViewport();
  await expect(card(app, old.id)).toHaveClass(/chosen/);
  await withoutHoles(app, messages);
  expect(new Set(read).size).toBeLessThan(6); // not all that was said since, however often it is read anew

  await scroll(app, -1500, () => card(app, messages[0]!.id).isVisible());
  await expect(app.getByText("This is the beginning of the conversation.")).toBeVisible();
  await scroll(app, 2500, () => card(app, messages.at(-1)!.id).isVisible());
  await withoutHoles(app, messages);
  await scroll(app, 2500, async () => (await newest(app).count()) === 0);

  await app.goto(`${hark.url}/c/${conversation}?at=${old.id}`);
  await expect(card(app, old.id)).toBeInViewport();
  await newest(app).click();
  await expect(card(app, messages.at(-1)!.id)).toBeInViewport();
  await expect(newest(app)).toHaveCount(0);
});

test("an old message is in view however slowly a browser draws while older ones come", async ({ app, hark, past: { messages } }) => {
  const old = messages[150]!;
  await app.addInitScript(() => {
    const waiting: FrameRequestCallback[] = [];
    const draw = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (callback) => waiting.push(callback);
    Object.assign(window, { goOn: () => ((window.requestAnimationFrame = draw), waiting.forEach(draw)) });
  });
  await app.route(/\/v1\/events/, () => {}); // nothing is read anew meanwhile
  await app.setViewportSize({ width: 1280, height: 900 });
  await app.goto(`${hark.url}/m/${old.id}`);
  await expect.poll(async () => Number(await card(app, old.id).getAttribute("aria-posinset"))).toBeGreaterThan(100); // older ones are there
  await app.evaluate(async () => {
    (window as unknown as { goOn: () => void }).goOn();
    for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame);
  });
  await expect.poll(() => isIn(card(app, old.id))).toBe(true);
});

test("what arrives while one is among old messages waits at the end", async ({ app, hark }) => {
  const conversation = await hark.conversation("Meanwhile");
  hark.command("bench", "seed", conversation, "--messages=120");
  const messages = await all(hark, conversation);
  await app.goto(`${hark.url}/c/${conversation}?at=${messages[30]!.id}`);
  await expect(card(app, messages[30]!.id)).toBeInViewport();
  const sent = await hark.send(conversation, prompt("vm-record-prepend"), { title: "Just now" });
  await hark.ready(sent.id);
  await expect(card(app, messages[30]!.id)).toBeInViewport();
  await expect(card(app, sent.id)).toHaveCount(0);
  await scroll(app, 2500, () => card(app, sent.id).isVisible());
  await withoutHoles(app, [...messages, sent]);
  // At the end again, where what arrives is seen at once.
  await scroll(app, 2500, async () => (await newest(app).count()) === 0);
  const next = await hark.send(conversation, prompt("vm-record-prepend"), { title: "And now" });
  await expect(card(app, next.id)).toBeInViewport();
  await withoutHoles(app, [...messages, sent, next]);
});

test("who comes to the top before what is older does stays where they are", async ({ app, hark, past: { conversation, messages } }) => {
  let read = 0;
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await app.route(/\/messages\?.*cursor=/, async (route) => (read++, await held, route.continue()));
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(card(app, messages.at(-1)!.id)).toBeInViewport();
  await upToDate(app);
  const box = app.locator("[role=feed] .box");
  await box.evaluate((list) => (list.scrollTop = 0));
  await expect(app.getByText("Loading older messages")).toBeInViewport();
  const first = (await inOrder(app))[0]!;
  await expect(card(app, first)).toBeInViewport();
  await expect.poll(() => read).toBe(1);
  letGo();
  await expect.poll(async () => (await inOrder(app))[0]).not.toBe(first); // more stands above it
  await expect(card(app, first)).toBeInViewport();
  await app.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  expect(read).toBeLessThan(4); // and not all the way to the beginning
  await withoutHoles(app, messages);
});

test("who goes back finds the place they left", async ({ app, hark, past: { conversation, messages } }) => {
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(card(app, messages.at(-1)!.id)).toBeInViewport();
  await upToDate(app); // or what comes then is read anew meanwhile
  await app.setViewportSize({ width: 390, height: 800 });
  const aim = card(app, messages[200]!.id);
  await scroll(app, -300, async () => (await aim.count()) > 0);
  await aim.evaluate((one) => one.scrollIntoView({ block: "center" }));
  await aim.getByRole("link").last().click();
  await app.getByRole("button", { name: "Back", exact: true }).click();
  await expect(aim).toBeInViewport();

  await app.goto(`${hark.url}/m/${messages[50]!.id}`);
  await app.locator("div.reader").getByRole("link", { name: "Long ago" }).click();
  await expect(card(app, messages[50]!.id)).toBeInViewport();
  await withoutHoles(app, messages);
});

test("at its end a conversation stays there, though its room grows less just as it scrolled", async ({ app, hark, past: { conversation, messages } }) => {
  await app.goto(`${hark.url}/c/${conversation}`);
  const last = card(app, messages.at(-1)!.id);
  await expect.poll(() => isIn(last)).toBe(true);
  await app.locator("[role=feed] .box").evaluate((box) => {
    box.parentElement!.style.height = "240px";
    box.dispatchEvent(new Event("scroll")); // as of a moment ago
  });
  await expect.poll(() => isIn(last)).toBe(true);
  await expect(newest(app)).toHaveCount(0);
});
