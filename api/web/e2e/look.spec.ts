/*
 * What the app looks like, as far as it can be measured: one line of heads, one
 * right edge, how much is on a screen, contrast, and that nothing ever leaves
 * the screen or covers what it should not.
 */
import type { Locator, Page } from "@playwright/test";

import { expect, signIn, watch } from "./app";
import { atRest } from "./finger";
import { Hark, test as base } from "./hark";
import { lost, strokeContrast, talk, transcribed } from "./look";
import { recordLive } from "./speaking";
import { Tasks } from "./tasks";
import { beep } from "./wav";

interface Place {
  hark: Hark;
  talk: Awaited<ReturnType<typeof talk>>;
  cookies: Awaited<ReturnType<ReturnType<Page["context"]>["cookies"]>>;
}

/** Nobody transcribes here: the words are the tests' own. */
const test = base.extend<{ app: Page }, { place: Place }>({
  place: [
    async ({ browser }, use) => {
      const hark = await Hark.start({ HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9" });
      const page = await browser.newPage();
      await signIn(page, hark.signInAddress());
      const cookies = await page.context().cookies();
      await page.close();
      await use({ hark, talk: await talk(hark, "Harbour, field notes"), cookies });
      await hark.stop();
    },
    { scope: "worker" },
  ],
  app: async ({ page, place }, use) => {
    const wrong = watch(page);
    await page.context().addCookies(place.cookies);
    await transcribed(page, place.talk.texts);
    await use(page);
    expect(wrong).toEqual([]);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  },
});

const wide = { width: 1280, height: 800 };
const nav = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const discard = async (page: Page) => {
  await page.getByRole("region", { name: "Recording" }).getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
};
/** Waits until all cards in the page have their words, which make them higher. */
const wordsThere = (page: Page) => expect.poll(() => page.locator("article .words").evaluateAll((all) => all.every((words) => words.textContent.trim() !== ""))).toBe(true);

test("with 30 conversations and 5,000 messages nothing leaves the screen, on any page", async ({ app, place: { hark } }) => {
  test.slow();
  const much = await hark.conversation("Conversation 0, the oldest");
  hark.command("bench", "seed", much, "--messages=5000");
  for (let i = 1; i < 30; i++) await hark.conversation(`Conversation ${i}`);
  const { items } = await hark.json<{ items: { id: string }[] }>(`/v1/conversations/${much}/messages?limit=1`);
  const pages: [path: string, there: Locator][] = [
    ["/", nav(app).getByRole("link").first()],
    [`/c/${much}`, app.getByRole("article").last()],
    [`/m/${items[0]!.id}`, app.locator("[data-w]").first()],
    ["/search?q=the", app.locator("#hit-19")],
    ["/settings", app.getByText("This browser")],
  ];
  // The last is 1280 × 720 at twice its size.
  for (const [width, height] of [[390, 700], [1280, 720], [1280, 500], [640, 360]] as const) {
    await app.setViewportSize({ width, height });
    for (const [path, there] of pages) {
      await app.goto(hark.url + path);
      await expect(there).toBeAttached({ timeout: 30_000 });
      await expect.poll(() => lost(app), { message: `${path} at ${width} × ${height}` }).toEqual([]);
      if (width < 760 && path !== "/") continue;
      // The list ends above the way to the settings, and its last one can be reached.
      await expect(app.getByRole("link", { name: "Settings" })).toBeInViewport({ ratio: 1 });
      const last = nav(app).getByRole("link").last();
      await last.scrollIntoViewIfNeeded();
      await expect(last).toBeInViewport({ ratio: 0.95 }); // to a pixel
    }
  }
  const tasks = await Tasks.of(app);
  await app.setViewportSize({ width: 1280, height: 500 });
  await app.goto(`${hark.url}/c/${much}`);
  await expect(app.getByRole("article").last()).toBeVisible();
  await tasks.start();
  await nav(app).hover();
  for (const by of [400, 400, 400, -400, -400, -400]) await app.mouse.wheel(0, by);
  await app.locator("[role=feed]").hover();
  for (let i = 0; i < 20; i++) {
    await app.mouse.wheel(0, -900);
    await app.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)));
  }
  const [longest] = await tasks.stop();
  console.log(`      the longest task took ${longest!.toFixed(0)} ms`);
  expect(longest).toBeLessThan(100);
});

test("the heads of all panes are one line", async ({ app, place: { hark, talk } }) => {
  await app.setViewportSize(wide);
  const heads = app.locator(".pane-head");
  const boxes = () => heads.evaluateAll((all) => all.map((head) => [head.getBoundingClientRect().top, head.getBoundingClientRect().height]));
  const row = [0, 64];
  await app.goto(`${hark.url}/m/${[...talk.texts.keys()].at(-1)}`);
  await expect(app.locator("[data-w]").first()).toBeVisible({ timeout: 30_000 });
  await expect.poll(boxes).toEqual([row, row, row]);
  await app.goto(`${hark.url}/settings`);
  await expect(app.getByText("This browser")).toBeVisible();
  await expect.poll(boxes).toEqual([row, row]);
  // The field stands in the middle of its row.
  await app.goto(`${hark.url}/search`);
  await expect(app.getByRole("searchbox")).toBeVisible();
  const field = () => app.locator(".ask").evaluate((ask) => [ask.getBoundingClientRect().top, ask.getBoundingClientRect().bottom]);
  await expect.poll(field).toEqual([8, 56]);
  await app.setViewportSize({ width: 390, height: 844 });
  await app.goto(`${hark.url}/c/${talk.id}`);
  await expect(app.getByRole("article").last()).toBeVisible();
  await expect.poll(boxes).toEqual([row]);
});

test("a conversation has one right edge, names an author once, and shows six messages or more", async ({ app, place: { hark, talk } }) => {
  await app.setViewportSize(wide);
  await app.goto(`${hark.url}/c/${talk.id}`);
  const cards = app.getByRole("article");
  await expect(cards.last().locator(".words")).toHaveText("They open at eight.", { timeout: 30_000 });
  await expect(app.locator("footer").getByRole("button", { name: "Record", exact: true })).toBeVisible();
  await wordsThere(app);

  const seen = () =>
    cards.evaluateAll((all) => {
      const box = document.querySelector("[role=feed]")!.getBoundingClientRect();
      return all.filter((card) => card.getBoundingClientRect().top >= box.top && card.getBoundingClientRect().bottom <= box.bottom).length;
    });
  await atRest(cards.last());
  await expect.poll(async () => [6, 7, 8].includes(await seen())).toBe(true);

  // The first of each run has its author's name and the rest do not. All at one time: how many are in the page changes.
  const { named, rights } = await cards.evaluateAll((all) => ({
    named: all.map((card) => card.querySelector(".author")?.textContent ?? ""),
    rights: all.flatMap((card) => Array.from(card.querySelectorAll(".words, .sound > button.icon-button svg"), (part) => Math.round(part.getBoundingClientRect().right))),
  }));
  const whole = ["Ada Lovelace", "", "Grace Hopper", "", "", "Ada Lovelace", "", "Grace Hopper", "", "Ada Lovelace", "Grace Hopper", "Ada Lovelace"];
  expect(named).toEqual(whole.slice(-named.length));
  await expect(app.getByText("Voice message", { exact: true })).toHaveCount(0);
  await expect(cards.last()).not.toContainText("Untitled");
  // Its words come before its sound.
  expect(await cards.last().evaluate((card) => card.querySelector(".words")!.compareDocumentPosition(card.querySelector(".sound")!))).toBe(Node_FOLLOWING);

  expect(rights).toHaveLength(2 * named.length);
  const edges = new Set(rights);
  expect([...edges]).toHaveLength(1);
  await app.locator("[role=feed] .box").evaluate((box) => (box.scrollTop = 0));
  const day = app.locator(".day").first();
  await expect.poll(() => day.evaluate((element) => Math.round(element.getBoundingClientRect().right - parseFloat(getComputedStyle(element).paddingRight)))).toBe([...edges][0]);
});

const Node_FOLLOWING = 4; // Node.DOCUMENT_POSITION_FOLLOWING

for (const colorScheme of ["light", "dark"] as const) {
  test(`waveforms stand out, ${colorScheme}`, async ({ app, place: { hark, talk } }) => {
    await app.emulateMedia({ colorScheme });
    await app.setViewportSize(wide);
    await app.goto(`${hark.url}/m/${[...talk.texts.keys()].at(-1)}`);
    await expect(app.locator("[data-w]").first()).toBeVisible({ timeout: 30_000 });
    for (const where of [".card", "div.reader"]) {
      await expect(app.locator(`${where} .waveform path`).first()).toBeVisible();
      await expect.poll(() => strokeContrast(app, `${where} .waveform path`), { message: where }).toBeGreaterThanOrEqual(3);
    }
    const card = app.getByRole("article").last();
    await card.hover();
    await expect.poll(() => strokeContrast(app, ".card:hover .waveform path"), { message: "hovered" }).toBeGreaterThanOrEqual(3);
    await card.getByRole("button", { name: /^Play/ }).click();
    await expect(app.locator(".card .played path")).toBeVisible();
    await expect.poll(() => strokeContrast(app, ".card.current .waveform path"), { message: "playing" }).toBeGreaterThanOrEqual(3);
    await expect.poll(() => strokeContrast(app, ".card .played path"), { message: "played" }).toBeGreaterThanOrEqual(3);
  });
}

test("one waveform shows where one is in what is read", async ({ app, place: { hark, talk } }) => {
  const player = app.getByRole("region", { name: "Player" });
  await app.setViewportSize(wide);
  await app.goto(`${hark.url}/m/${[...talk.texts.keys()].at(-1)}`);
  await app.locator("div.reader .play").click();
  await expect(player.getByText(/^0:(0[1-9]|[1-3]\d) \//)).toBeVisible();
  await expect(player.locator(".waveform")).toHaveCount(0);
  await expect(app.locator("div.reader .waveform")).toHaveCount(1);
  await app.goto(`${hark.url}/c/${talk.id}`);
  await app.getByRole("article").last().getByRole("button", { name: /^Play/ }).click();
  await expect(player.locator(".waveform")).toHaveCount(1);
});

test("a short notice never covers the record button, however wide the page", async ({ app, place: { hark, talk } }) => {
  await app.context().grantPermissions(["clipboard-read", "clipboard-write", "microphone"]);
  await app.goto(`${hark.url}/c/${talk.id}`);
  const notices = app.locator(".notices");
  const record = app.getByRole("button", { name: "Record", exact: true });
  await expect(app.getByRole("button", { name: "Microphone" })).toBeVisible();
  const recording = app.getByRole("region", { name: "Recording" });
  const copy = async () => {
    await app.getByRole("button", { name: "Message menu" }).last().click();
    await app.getByRole("menuitem", { name: "Copy link" }).click();
  };
  /** What of the foot is under a notice. */
  const covered = (foot: Locator) =>
    foot.getByRole("button").evaluateAll((buttons) =>
      buttons
        .filter((button) => {
          const b = button.getBoundingClientRect();
          return Array.from(document.querySelectorAll(".notice"), (notice) => notice.getBoundingClientRect()).some((n) => n.left < b.right && n.right > b.left && n.top < b.bottom && n.bottom > b.top);
        })
        .map((button) => button.outerHTML.slice(0, 80)),
    );
  for (const [width, height] of [[320, 568], [390, 844], [640, 360], [760, 600], [1160, 800], [1920, 1080]] as const) {
    await app.setViewportSize({ width, height });
    await expect(record).toBeInViewport({ ratio: 1 });
    await copy();
    await copy();
    await expect(notices.getByText("Link copied.").first()).toBeVisible();
    await expect.poll(() => covered(app.locator("footer")), { message: `${width} × ${height}` }).toEqual([]);
    while (await notices.getByRole("button").count()) await notices.getByRole("button").first().click({ timeout: 1000 }).catch(() => {}); // it may go by itself
  }
  // With a player below, and while one records, which takes more room.
  await app.setViewportSize({ width: 390, height: 844 });
  await app.getByRole("button", { name: /^Play/ }).last().click();
  await expect(app.getByRole("region", { name: "Player" })).toBeVisible();
  await copy();
  await expect(notices.getByText("Link copied.")).toBeVisible();
  await expect.poll(() => covered(app.locator("footer"))).toEqual([]);
  await record.click();
  await expect(recording).toBeVisible();
  await copy();
  await expect(notices.getByText("Link copied.").first()).toBeVisible();
  await expect.poll(() => covered(recording)).toEqual([]);
  // Others look at this conversation next: nobody is recording in it then.
  await discard(app);
  await expect.poll(() => hark.json(`/v1/conversations/${talk.id}/recordings`)).toMatchObject({ items: [] });
});

test("the gear is for the settings and the microphone for the microphone", async ({ app, place: { hark, talk } }) => {
  await app.goto(`${hark.url}/c/${talk.id}`);
  const drawn = (button: Locator) => button.locator("path").last().getAttribute("d");
  const microphone = app.getByRole("button", { name: "Microphone" });
  await expect(microphone).toBeVisible();
  const [gear, own, record] = await Promise.all([drawn(app.getByRole("link", { name: "Settings" })), drawn(microphone), drawn(app.getByRole("button", { name: "Record", exact: true }))]);
  expect(new Set([gear, own, record]).size).toBe(3);
});

test("the list says who said what last, as it happens", async ({ app, place: { hark, talk } }) => {
  const mine = await hark.conversation("Tide tables");
  const remove = (id: string) => fetch(`${hark.url}/v1/messages/${id}`, { method: "DELETE", headers: { Authorization: `Bearer ${hark.token}` } });
  await app.setViewportSize(wide);
  await app.goto(hark.url);
  const link = nav(app).getByRole("link", { name: /^Tide tables/ });
  await expect(link).toContainText(/No messages yet|Nothing said yet/);
  const titled = await hark.send(mine, beep(1), { title: "High water" });
  await expect(link).toContainText("You: High water");
  hark.command("bench", "seed", mine, "--messages=1");
  const { items } = await hark.json<{ items: { last_message: { first_words: string } }[] }>("/v1/conversations?limit=1");
  await app.reload();
  await expect(link).toContainText(`You: ${items[0]!.last_message.first_words}`);
  const { items: messages } = await hark.json<{ items: { id: string }[] }>(`/v1/conversations/${mine}/messages`);
  await remove(messages[0]!.id);
  await expect(link).toContainText("You: High water");
  await remove(titled.id);
  await expect(link).toContainText(/No messages yet|Nothing said yet/);
  await expect(nav(app).getByRole("link", { name: /^Harbour/ })).toContainText("Ada Lovelace: ");
  // Nothing of it stays on the device.
  expect(await app.evaluate(() => JSON.stringify(localStorage))).not.toContain("first_words");
  expect(talk.id).toBeTruthy();
});

test("who is recording is told in a line that moves nothing, with since when and a pause", async ({ app, place: { hark, talk }, browser }) => {
  await app.setViewportSize(wide);
  await app.goto(`${hark.url}/c/${talk.id}`);
  const last = app.getByRole("article").last();
  await expect(last.locator(".words")).toHaveText("They open at eight.", { timeout: 30_000 });
  await expect(app.getByRole("button", { name: "Microphone" })).toBeVisible();
  const line = app.getByRole("status", { name: "Recording now" });
  const settled = async () => {
    await wordsThere(app);
    await atRest(last);
  };
  await settled();
  const box = () => last.evaluate((card) => (({ x, y, width, height }) => [x, y, width, height])(card.getBoundingClientRect()));
  const stands = await box();
  /** It has not moved, to half a pixel; a list may be drawing its rows anew. */
  const stays = () => expect.poll(async () => Math.max(...(await box()).map((now, i) => Math.abs(now - stands[i]!)))).toBeLessThanOrEqual(0.5);

  const context = await browser.newContext({ permissions: ["microphone"] });
  const grace = await context.newPage();
  await signIn(grace, hark.command("user", "sign-in", "Grace Hopper").split("\n").at(-1)!);
  await grace.goto(`${hark.url}/c/${talk.id}`);
  await recordLive(grace, hark, talk.id); // a pause is told over the connection
  await expect(line).toHaveText(/Grace Hopper\s*recording since \d/, { timeout: 20_000 });
  await stays();
  await expect(grace.getByRole("status", { name: "Recording now" })).toHaveText("");
  await grace.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(line).toHaveText(/Grace Hopper\s*paused since \d/);
  await app.reload(); // who comes then sees the same
  await expect(line).toHaveText(/Grace Hopper\s*paused since \d/);
  await settled();
  await stays();
  await discard(grace);
  await expect(line).toHaveText("");
  await stays();
  await context.close();
});
