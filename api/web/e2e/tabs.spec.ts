/* Several tabs of one browser: one stream of events, one who is signed in. */
import type { BrowserContext, Page, Request } from "@playwright/test";

import { expect, signIn, test, upToDate, watch } from "./app";
import type { Hark } from "./hark";
import { listenIn, sound } from "./sound";
import { tone } from "./wav";

const card = (page: Page, title: string) => page.getByRole("article").filter({ hasText: title });
const welcome = (page: Page) => page.getByRole("heading", { name: "Say it once." });

/** Tells of the streams that are open in a browser, each by its page, the newest last. */
function streams(context: BrowserContext): () => Page[] {
  const open = new Map<Request, Page>();
  context.on("request", (request) => void (/\/v1\/events/.test(request.url()) && open.set(request, request.frame().page())));
  context.on("requestfinished", (request) => void open.delete(request));
  context.on("requestfailed", (request) => void open.delete(request));
  return () => Array.from(open.values()).filter((page) => !page.isClosed());
}

/** Well before the next sign of life, by which one would hear of it in any case: 15 s. */
const atOnce = 10_000;

/** Waits until there is one stream, and tells whose it is. */
async function leads(open: () => Page[]): Promise<Page> {
  let leaders: Page[] = [];
  await expect.poll(() => (leaders = open()).length).toBe(1);
  return leaders[0]!;
}

/** Opens tabs at an address, beside those that are open. */
async function openTabs(context: BrowserContext, address: string, count: number) {
  const tabs: Page[] = [];
  for (let i = 0; i < count; i++) {
    tabs.push(await context.newPage());
    await tabs[i]!.goto(address);
  }
  for (const tab of tabs) await upToDate(tab);
  return tabs;
}

/** Ends the sessions of the owner's browsers, as from another device. */
async function revoke(hark: Hark) {
  const { items } = await hark.json<{ items: { id: string; kind: string }[] }>("/v1/tokens");
  for (const { id, kind } of items) if (kind === "session") await fetch(`${hark.url}/v1/tokens/${id}`, { method: "DELETE", headers: { Authorization: `Bearer ${hark.token}` } });
}

test("ten tabs load and hear by one stream, whichever of them close", async ({ app, context, hark }) => {
  const open = streams(context);
  const conversation = await hark.conversation("Ten tabs");
  await app.goto(`${hark.url}/c/${conversation}`);
  const tabs = [app, ...(await openTabs(context, `${hark.url}/c/${conversation}`, 9))];
  await hark.send(conversation, tone(), { title: "To ten" });
  for (const tab of tabs) await expect(card(tab, "To ten")).toBeVisible();
  let leader = await leads(open);

  for (let round = 1; tabs.length > 2; round++) {
    for (const tab of [leader, ...tabs.filter((tab) => tab !== leader).slice(0, 2)]) {
      await tab.close();
      tabs.splice(tabs.indexOf(tab), 1);
    }
    await hark.send(conversation, tone(), { title: `Round ${round}` });
    for (const tab of tabs) await expect(card(tab, `Round ${round}`)).toBeVisible();
    leader = await leads(open);
  }
});

test("a tab that falls asleep takes nothing from the others, and catches up when it wakes", async ({ app, context, hark }) => {
  const open = streams(context);
  const conversation = await hark.conversation("Asleep");
  await app.goto(`${hark.url}/c/${conversation}`);
  await upToDate(app);
  const tabs = [app, ...(await openTabs(context, `${hark.url}/c/${conversation}`, 2))];

  const asleep = await leads(open);
  const session = await context.newCDPSession(asleep);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await hark.send(conversation, tone(), { title: "While one sleeps" });
  for (const tab of tabs.filter((tab) => tab !== asleep)) await expect(card(tab, "While one sleeps")).toBeVisible({ timeout: 15_000 });
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await expect(card(asleep, "While one sleeps")).toBeVisible();
});

test("signed out from elsewhere, all tabs show the sign-in page and nothing of before", async ({ page, context, hark }) => {
  const wrong = watch(page);
  await listenIn(page);
  await signIn(page, hark.signInAddress());
  const conversation = await hark.conversation("Secret plans");
  const { id } = await hark.send(conversation, tone(20), { title: "Whispered" });
  await hark.ready(id);
  await page.goto(`${hark.url}/m/${id}`);
  const [other] = await openTabs(context, `${hark.url}/c/${conversation}`, 1);
  await page.locator("div.reader").getByRole("button", { name: "Play Whispered" }).click();
  await expect.poll(async () => (await sound(page)).at).toBeGreaterThan(0.2);

  await revoke(hark);
  for (const tab of [page, other!]) {
    await expect(welcome(tab)).toBeVisible({ timeout: atOnce });
    await expect(tab.getByText(/Secret plans|Whispered|Offline/)).toHaveCount(0);
    await expect(tab).toHaveTitle("Hark");
  }
  expect(await sound(page)).toMatchObject({ paused: true });
  expect(await page.evaluate(() => navigator.mediaSession.metadata)).toBeNull();
  // But for where to land after signing in again, which is an address alone.
  expect(await page.evaluate(() => JSON.stringify(Object.entries(localStorage).filter(([key]) => key !== "hark.landing")))).not.toMatch(/Secret plans|Whispered|[0-9a-f-]{36}/);
  expect(await page.evaluate(async () => JSON.stringify(await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)))))).not.toContain("/v1/");

  // Whoever comes next is whom all tabs show.
  await signIn(page, hark.signInAddress("Nora"));
  await expect(other!.getByRole("link", { name: "Settings" })).toContainText("Nora");
  await expect(other!.getByText("Secret plans")).toHaveCount(0);
  expect(wrong).toEqual([]);
});

test("signing out in one tab signs out all, and another user's sign-in changes all", async ({ app, context, hark }) => {
  const conversation = await hark.conversation("For the owner alone");
  const [other, third] = await openTabs(context, `${hark.url}/c/${conversation}`, 2);
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("button", { name: "Sign out" }).click();
  for (const tab of [app, other!, third!]) await expect(welcome(tab)).toBeVisible({ timeout: atOnce });

  await signIn(other!, hark.signInAddress());
  for (const tab of [app, third!]) await expect(tab.getByRole("navigation", { name: "Conversations" })).toBeVisible();
  // Another one takes over the browser while its tabs are open.
  await third!.goto(hark.signInAddress("Otto"));
  await third!.getByRole("button", { name: "Sign in" }).click();
  for (const tab of [app, other!, third!]) {
    await expect(tab.getByRole("link", { name: "Settings" })).toContainText("Otto");
    await expect(tab.getByText("For the owner alone")).toHaveCount(0);
  }
  await hark.conversation("After the owner left"); // a stream of the owner's would tell
  const own = await third!.evaluate((address) => fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ title: "Otto's" }) }).then((answer) => answer.status), `${hark.url}/v1/conversations`);
  expect(own).toBe(201);
  for (const tab of [app, other!, third!]) {
    await expect(tab.getByRole("link", { name: /^Otto's/ })).toBeVisible();
    await expect(tab.getByText("After the owner left")).toHaveCount(0);
  }
});
