/* Search as people use it: with keys, with filters, there and back again, and when it fails. */
import { expect, test as base } from "./app";
import { type Hark } from "./hark";
import { at, listenIn, sound } from "./sound";
import { prompt } from "./speech";

interface Found {
  hits: { message: { id: string }; start_ms: number }[];
}

/** A conversation with two hundred messages, and one that was spoken. */
const test = base.extend<object, { said: { conversation: string; id: string } }>({
  said: [
    async ({ hark }, use) => {
      const conversation = await hark.conversation("Much said");
      hark.command("bench", "seed", conversation, "--messages=200");
      const { id } = await hark.send(conversation, prompt("tt-allbusy"), { title: "Spoken" });
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
  await app.keyboard.press("Enter");
  await expect(app.locator("#hit-0")).toBeFocused();
  for (let i = 0; i < 9; i++) await app.keyboard.press("j");
  await app.keyboard.press("k");
  await expect(app.locator("#hit-8")).toBeFocused();
  const hit = (await hark.json<Found>(`/v1/search?q=${word}`)).hits;
  const top = await app.locator(".found").evaluate((box) => box.scrollTop);
  await app.keyboard.press("o");
  await expect(app).toHaveURL(/\/m\/[0-9a-f-]+\?t=\d+$/);
  const opened = /\/m\/([0-9a-f-]+)\?t=(\d+)$/.exec(app.url())!;
  expect(hit.map(({ message }) => message.id)).toContain(opened[1]);
  await expect(app.locator(".said")).toBeVisible();

  await app.goBack();
  await expect(app.locator("#hit-8")).toBeFocused();
  await expect(app.getByRole("searchbox")).toHaveValue(word);
  expect(await app.locator(".found").evaluate((box) => box.scrollTop)).toBeCloseTo(top, -1);
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
  await expect(app.getByText("Find it by a word")).toBeVisible();
  await app.getByRole("searchbox").fill("telemarketers");
  await expect(app.locator("#hit-0")).toBeVisible();
  await app.getByRole("combobox", { name: "Conversation" }).selectOption("Much said");
  await expect(app).toHaveURL(new RegExp(`conversation=${said.conversation}`));
  await app.getByRole("combobox", { name: "Order" }).selectOption("Newest first");
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
  await expect(app.getByRole("alert")).toContainText(/connection/i);
  await app.unroute("**/v1/search?*");
  await app.getByRole("button", { name: "Try again" }).click();
  await expect(app.locator("#hit-0, h2").first()).toBeVisible();
  await expect(app.getByRole("alert")).toHaveCount(0);
});
