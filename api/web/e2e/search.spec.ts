/* Search as people use it: with keys, with filters, there and back again, and when it fails. */
import type { Page } from "@playwright/test";

import { expect, signIn, test as base } from "./app";
import { atRest } from "./finger";
import { type Hark } from "./hark";
import { at, listenIn, sound } from "./sound";
import { lasting, prompt } from "./speech";

interface Found {
  hits: { message: { id: string; first_words: string }; start_ms: number }[];
  total: number;
}
interface Listed {
  items: { id: string; title: string; first_words: string }[];
}

const field = (page: Page) => page.getByRole("searchbox");
/** How many messages the page says were found. */
const count = (page: Page) => page.getByRole("status").filter({ hasText: /message/ });
/** Waits until the page shows what was asked for last. */
const settled = (page: Page) => expect(page.locator(".found")).toHaveAttribute("aria-busy", "false");

/** A conversation with two hundred messages, and one that was spoken. */
const test = base.extend<object, { said: { conversation: string; id: string } }>({
  said: [
    async ({ hark }, use) => {
      const conversation = await hark.conversation("Much said");
      hark.command("bench", "seed", conversation, "--messages=200");
      const { id } = await hark.send(conversation, lasting("tt-allbusy"), { title: "Spoken" });
      await hark.ready(id);
      await use({ conversation, id });
    },
    { scope: "worker" },
  ],
});

/** A word that many seeded messages share. */
async function common(hark: Hark, conversation: string): Promise<string> {
  const page = await hark.json<{ items: { id: string }[] }>(`/v1/conversations/${conversation}/messages?limit=20`);
  const counts = new Map<string, number>();
  for (const { id } of page.items.slice(1)) {
    for (const word of new Set((await hark.transcript(id)).toLowerCase().match(/[a-z]{5,}/g))) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return Array.from(counts).toSorted(([, a], [, b]) => b - a)[0]![0];
}

test("with keys alone, there and back again", async ({ page, app, hark, said }) => {
  await listenIn(page);
  const word = await common(hark, said.conversation);
  await app.goto(hark.url);
  await expect(app.getByRole("navigation", { name: "Conversations" })).toBeVisible();
  await app.keyboard.press("/");
  await expect(app.getByRole("searchbox")).toBeFocused();
  await app.keyboard.type(word);
  await expect(app.locator("#hit-10")).toBeVisible();
  await settled(app); // what was found of half the word is not what is walked through
  await app.keyboard.press("Enter");
  await expect(app.locator("#hit-0")).toBeFocused();
  for (let i = 0; i < 9; i++) await app.keyboard.press("j");
  await app.keyboard.press("k");
  await expect(app.locator("#hit-8")).toBeFocused();
  const hit = (await hark.json<Found>(`/v1/search?q=${word}`)).hits;
  await atRest(app.locator("#hit-8"));
  const top = await app.locator(".found").evaluate((box) => box.scrollTop);
  await app.keyboard.press("o");
  await expect(app).toHaveURL(/\/m\/[0-9a-f-]+\?t=\d+$/);
  const opened = /\/m\/([0-9a-f-]+)\?t=(\d+)$/.exec(app.url())!;
  expect(hit.map(({ message }) => message.id)).toContain(opened[1]);
  await expect(app.locator(".said")).toBeVisible();

  await app.goBack();
  await expect(app.locator("#hit-8")).toBeFocused();
  await expect(app.getByRole("searchbox")).toHaveValue(word);
  await expect.poll(() => app.locator(".found").evaluate((box) => box.scrollTop)).toBeCloseTo(top, -1);
  // K from the first leads back to what one asked.
  for (let i = 0; i < 9; i++) await app.keyboard.press("k");
  await expect(app.getByRole("searchbox")).toBeFocused();
});

test("Enter plays a hit from its word, in place", async ({ page, app, hark, said }) => {
  await listenIn(page);
  await app.goto(`${hark.url}/search?q=telemarketers&conversation=${said.conversation}`);
  const [hit] = (await hark.json<Found>(`/v1/search?q=telemarketers&conversation=${said.conversation}`)).hits;
  await expect(app.locator("#hit-0 mark")).toHaveText(/telemarketers/i);
  await app.getByRole("searchbox").press("ArrowDown");
  await app.keyboard.press("Enter");
  await expect.poll(() => sound(app)).toMatchObject({ paused: false });
  await expect.poll(() => at(app)).toBeGreaterThanOrEqual(hit!.start_ms / 1000 - 0.1);
  await expect(app).toHaveURL(/\/search\?q=telemarketers/);
  await app.keyboard.press("Enter");
  await expect.poll(() => sound(app)).toMatchObject({ paused: true });
});

test("filters are in the address, and can be taken away", async ({ app, hark, said }) => {
  await app.goto(`${hark.url}/search`);
  await expect(app.getByText("Search every word")).toBeVisible();
  await app.getByRole("searchbox").fill("telemarketers");
  await expect(app.locator("#hit-0")).toBeVisible();
  await app.getByRole("combobox", { name: "Conversation" }).selectOption("Much said");
  await expect(app).toHaveURL(new RegExp(`conversation=${said.conversation}`));
  await app.getByRole("combobox", { name: "Sort by" }).selectOption("Newest first");
  await expect(app).toHaveURL(/sort=newest/);
  await app.reload();
  await expect(app.locator("#hit-0")).toBeVisible();
  await expect(app.getByRole("combobox", { name: "Conversation" })).toHaveValue(said.conversation);
  await app.getByRole("button", { name: "Clear filters" }).click();
  await expect(app).toHaveURL(/\/search\?q=telemarketers$/);
});

test("a search that fails says so, and can be asked again", async ({ app, hark }) => {
  await app.goto(`${hark.url}/search`);
  await app.route("**/v1/search?*", (route) => route.abort());
  await app.getByRole("searchbox").fill("telemarketers");
  await expect(app.getByRole("alert")).toContainText(/connect/i);
  await app.unroute("**/v1/search?*");
  await app.getByRole("button", { name: "Try again" }).click();
  await expect(app.locator("#hit-0, h2").first()).toBeVisible();
  await expect(app.getByRole("alert")).toHaveCount(0);
});

test("the same words find the same, typed, reloaded and shared; quotes take them as they are", async ({ app, browser, hark, said }) => {
  const word = await common(hark, said.conversation);
  const typed = word.slice(0, -2);
  const { total } = await hark.json<Found>(`/v1/search?q=${word}`);
  await app.goto(`${hark.url}/search`);
  await field(app).pressSequentially(typed);
  await expect(app.locator("#hit-0 mark").first()).toBeVisible();
  await settled(app);
  const found = await count(app).textContent();
  expect(Number(/[\d,]+/.exec(found!)![0].replace(",", ""))).toBeGreaterThanOrEqual(total); // the beginning of it, at least
  await app.reload();
  await expect(count(app)).toHaveText(found!);
  const shared = await (await browser.newContext()).newPage();
  await signIn(shared, hark.signInAddress());
  await shared.goto(app.url());
  await expect(count(shared)).toHaveText(found!);
  await shared.context().close();
  await field(app).fill(`${typed} `); // nor does a space behind it
  await settled(app);
  await expect(count(app)).toHaveText(found!);
  await field(app).fill("qqqq");
  await expect(app.getByText("No results for “qqqq”")).toBeVisible();
  await field(app).fill(`"${typed}`); // half open: still being typed
  await expect(count(app)).toHaveText(found!);
  await field(app).fill(`"${typed}"`);
  await expect(app.getByText(/No results|No exact/).first()).toBeVisible(); // found, or spelt like that
});

test("a filter alone lists, the newest first", async ({ app, hark, said }) => {
  const { items } = await hark.json<Listed>(`/v1/conversations/${said.conversation}/messages?limit=20`);
  await app.goto(`${hark.url}/search`);
  await app.getByRole("combobox", { name: "Conversation" }).selectOption("Much said");
  await expect(count(app)).toContainText("201 messages");
  const shown = () => app.locator(".hit .about a").evaluateAll((links) => links.map((link) => /\/m\/([^?]+)/.exec((link as HTMLAnchorElement).href)![1]));
  expect(await shown()).toEqual(items.map(({ id }) => id));
  await app.reload();
  await expect(count(app)).toContainText("201 messages");
  await app.getByRole("button", { name: "Show more" }).click();
  await expect(app.locator("#hit-39")).toBeVisible();
  expect(new Set(await shown()).size).toBe(40);
  await app.getByRole("combobox", { name: "Date" }).selectOption("Last 24 hours");
  await app.getByRole("combobox", { name: "Sender" }).selectOption({ index: 1 });
  await settled(app);
  await expect(app.locator("#hit-0")).toBeVisible();
  await field(app).fill("-"); // is no word
  await settled(app);
  await expect(app.locator("#hit-0")).toBeVisible();
  await field(app).fill("qqqq");
  await expect(app.getByText("No results for “qqqq”")).toBeVisible();
  await app.getByRole("button", { name: "Clear filters" }).click();
  await field(app).fill("");
  await expect(app.getByText("Search every word")).toBeVisible();
});

test("titles, people and conversations are found, whatever the case and the accents", async ({ app, hark, said }) => {
  const { items } = await hark.json<Listed>(`/v1/conversations/${said.conversation}/messages?limit=3`);
  await hark.json(`/v1/messages/${items[2]!.id}`, { method: "PATCH", body: JSON.stringify({ title: "Überfahrt bei Nacht" }) });
  hark.signInAddress("Zoë -OR *Ueber* Öztürk");
  await hark.conversation("Café Überall");
  await app.goto(`${hark.url}/search`);
  await field(app).fill("uberf");
  await expect(app.locator(".hit .about mark")).toHaveText("Überfahrt");
  await field(app).fill("UBERALL");
  await app.locator(".found").getByRole("link", { name: "Café Überall" }).click(); // not that of the list beside it
  await expect(app).toHaveURL(/\/c\//);
  await app.goBack();
  await expect(field(app)).toHaveValue("UBERALL");
  await field(app).fill("zoe");
  await app.getByRole("link", { name: "Messages from Zoë" }).click(); // who has sent none
  await expect(app.getByText("No messages with these filters")).toBeVisible();
  await expect(app.getByRole("combobox", { name: "Sender" })).toHaveValue(/.+/);
  await app.goBack();
  await expect(field(app)).toHaveValue("zoe");
  await expect(app.getByRole("link", { name: "Messages from Zoë" })).toBeVisible();
});

test("an untitled message is called by its first words everywhere", async ({ page, app, hark, said }) => {
  await listenIn(page);
  const { id } = await hark.send(said.conversation, prompt("tt-allbusy"));
  await hark.ready(id);
  const { first_words: name } = await hark.json<Listed["items"][0]>(`/v1/messages/${id}`);
  expect(name).toMatch(/^\w.{20,60}…$/);
  expect(await hark.transcript(id)).toContain(name.slice(0, -1).trim());
  await app.goto(`${hark.url}/m/${id}`);
  await expect(app).toHaveTitle(`${name} – Hark`);
  await expect(app.getByRole("heading", { name })).toBeVisible();
  await app.getByRole("button", { name: `Play ${name}` }).first().click();
  await expect(app.getByRole("region", { name: "Player" }).getByRole("link")).toContainText(name);
  await expect.poll(() => app.evaluate(() => navigator.mediaSession.metadata?.title)).toBe(name);
  await app.goto(`${hark.url}/c/${said.conversation}`);
  await expect(app.getByRole("article", { name })).toBeVisible();
  await app.goto(`${hark.url}/search?conversation=${said.conversation}`);
  await expect(app.locator(`.hit a[href*="${id}"]`)).toHaveText(name);
  const file = await app.request.get(`${hark.url}/v1/messages/${id}/transcript.txt`);
  expect(decodeURIComponent(file.headers()["content-disposition"]!)).toContain(name.slice(0, -1).trim());
});

test("what cannot be searched is said, and what is no word asks nothing", async ({ app, hark }) => {
  for (const q of ["-", "* -", '"', '""', "-harbour", "🎉🎉", "++"]) {
    await app.goto(`${hark.url}/search?${new URLSearchParams({ q }).toString()}`);
    await expect(app.getByText("Search every word")).toBeVisible();
  }
  for (const q of ["x".repeat(10_000), "word ".repeat(190)]) {
    await app.goto(`${hark.url}/search?${new URLSearchParams({ q }).toString()}`);
    await expect(app.getByRole("alert")).toContainText("16 words");
    expect(await app.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  }
  for (const q of ["\u202eשלום עולם", "AND OR NOT", "NEAR(a b) : {x}", '"half open', "👩‍👩‍👧 qqqq", "ＱＱＱＱ"]) {
    await app.goto(`${hark.url}/search?${new URLSearchParams({ q }).toString()}`);
    await settled(app);
    await expect(field(app)).toHaveValue(q);
    await expect(app.getByRole("alert")).toHaveCount(0);
  }
});

test("a link to a search is of use to who may see less", async ({ browser, hark, said }) => {
  const page = await (await browser.newContext()).newPage();
  await signIn(page, hark.signInAddress("Less"));
  await page.goto(`${hark.url}/search?q=telemarketers`);
  await expect(page.getByText("No results for “telemarketers”")).toBeVisible();
  await page.goto(`${hark.url}/search?q=telemarketers&conversation=${said.conversation}`);
  await expect(page.getByRole("alert")).toContainText("You can’t search there");
  await expect(page.getByRole("combobox", { name: "Conversation" })).toHaveValue(said.conversation);
  await page.getByRole("alert").getByRole("button", { name: "Clear filters" }).click();
  await expect(page.getByText("No results for “telemarketers”")).toBeVisible();
  await page.context().close();
});

test("back and forth through ten searches, and a rest that does not come", async ({ app, hark, said }) => {
  const word = await common(hark, said.conversation);
  const searches = Array.from({ length: 10 }, (_, i) => (i % 2 ? `/search?q=${word.slice(0, 3 + (i % 3))}` : `/search?q=qqqq${i}`));
  await app.goto(`${hark.url}/search`);
  for (const address of searches) {
    await app.evaluate((to) => {
      const link = Object.assign(document.createElement("a"), { href: to, textContent: "on" });
      document.body.append(link);
      link.click();
      link.remove();
    }, address);
  }
  for (const address of searches.toReversed()) {
    const q = new URL(address, hark.url).searchParams.get("q")!;
    await expect(field(app)).toHaveValue(q);
    await settled(app);
    if (q.startsWith("qqqq")) await expect(app.getByText(`No results for “${q}”`)).toBeVisible();
    else await expect(app.locator("#hit-0 mark").first()).toHaveText(new RegExp(`^${q}`, "i"));
    await app.goBack();
  }
  await expect(app.getByText("Search every word")).toBeVisible();
  await app.goForward();
  await app.goForward();
  await expect(app.locator("#hit-0 mark").first()).toBeVisible();
  await app.goto(`${hark.url}/search?conversation=${said.conversation}`);
  await expect(app.locator("#hit-19")).toBeVisible();
  await app.route("**/v1/search?*cursor*", (route) => route.abort());
  await app.getByRole("button", { name: "Show more" }).click();
  await expect(app.getByRole("alert")).toContainText(/connect/i);
  await expect(app.locator("#hit-19")).toBeVisible();
  await app.unroute("**/v1/search?*cursor*");
  await app.getByRole("button", { name: "Try again" }).click();
  await expect(app.locator("#hit-20")).toBeVisible();
});
