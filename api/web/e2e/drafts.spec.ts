/* What was recorded and not sent: its author has it on every device, and nobody else learns of it. */
import type { Browser, BrowserContext, Page } from "@playwright/test";

import { expect, signIn, test, watch } from "./app";
import type { Hark } from "./hark";
import { draftsOf, enter, expectWhole, messages, only, pause, pending, record, recorder, recordLive, send, spoken, type Titled } from "./speaking";

const card = (page: Page) => page.getByRole("article");
const unfinished = (page: Page) => pending(page).getByRole("listitem").filter({ hasText: "Unfinished recording" });

/** Another browser, signed in at an address. */
async function another(browser: Browser, address: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await signIn(page, address);
  return page;
}

/** Somebody else of a conversation, who looks at it and takes down what they are told. */
async function witness(browser: Browser, hark: Hark, conversation: string, name: string): Promise<{ page: Page; told: () => Promise<string[]> }> {
  const page = await another(browser, hark.signInAddress(name));
  const { items } = await hark.json<{ items: { id: string; name: string }[] }>("/v1/users");
  const id = items.find((user) => user.name === name)!.id;
  const headers = { Authorization: `Bearer ${hark.token}`, "Content-Type": "application/json" };
  const added = await fetch(`${hark.url}/v1/conversations/${conversation}/members`, { method: "POST", headers, body: JSON.stringify({ user_id: id }) });
  expect(added.ok).toBe(true);
  await page.goto(`${hark.url}/c/${conversation}`);
  await page.evaluate(async () => {
    const told: string[] = [];
    Object.assign(window, { told });
    const stream = new EventSource("/v1/events");
    for (const type of ["message.created", "message.updated", "message.progress", "message.caption", "message.deleted", "draft.created", "draft.updated", "draft.deleted"]) stream.addEventListener(type, () => told.push(type));
    await new Promise((open) => stream.addEventListener("open", open));
  });
  return { page, told: () => page.evaluate(() => (window as unknown as { told: string[] }).told) };
}

/** Closes a page in the middle of what it does, as people do. */
async function closeTab(page: Page) {
  page.on("dialog", (dialog) => void dialog.accept());
  const closed = page.waitForEvent("close");
  await page.close({ runBeforeUnload: true });
  await closed;
}

/** Has the device be busy, so that no page can read what it has of recordings; returns a way to let go. */
async function occupyDevice(context: BrowserContext, hark: Hark): Promise<() => Promise<void>> {
  const page = await context.newPage();
  await page.goto(`${hark.url}/manifest.webmanifest`); // of its origin, and not of the app
  await page.evaluate(
    () =>
      new Promise<void>((held) => {
        const open = indexedDB.open("hark");
        open.onsuccess = () => {
          const items = open.result.transaction("items", "readwrite").objectStore("items");
          const again = () => {
            held();
            items.get("").onsuccess = again;
          };
          again();
        };
      }),
  );
  return () => page.close();
}

/** Waits until what was recorded is a whole draft on the server. */
async function draftThere(hark: Hark, conversation: string): Promise<Titled> {
  await expect.poll(async () => (await draftsOf(hark, conversation)).map(({ state }) => state), { timeout: 60_000 }).toEqual(["ready"]);
  return (await draftsOf(hark, conversation))[0]!;
}

test("a tab closed in mid-recording publishes nothing: its author sends it from another browser, takes it back, and discards it", async ({ browser, context, hark }) => {
  const page = await context.newPage();
  await signIn(page, hark.signInAddress());
  const conversation = await enter(page, hark, "Ideas");
  const bo = await witness(browser, hark, conversation, "Bo");
  const author = await another(browser, hark.signInAddress());
  await author.getByRole("link", { name: /^General/ }).click();
  const wrong = [watch(author), watch(bo.page)];
  await recordLive(page, hark, conversation);
  await spoken(page, 3);
  await closeTab(page);

  const draft = await draftThere(hark, conversation);
  await author.getByRole("link", { name: "You have an unfinished recording in Ideas" }).click();
  await expect(unfinished(author)).toHaveCount(1);
  await expect(unfinished(author)).toContainText("Only you can see it");
  await unfinished(author).getByRole("button", { name: /^Listen/ }).click();
  await unfinished(author).getByRole("button", { name: "Listen", exact: true }).click();
  await expect.poll(() => unfinished(author).getByRole("slider").inputValue().then(Number), { intervals: [100] }).toBeGreaterThan(300); // it plays for three seconds
  expect(await bo.told()).toEqual([]);
  expect(await messages(hark, conversation)).toEqual([]);
  await expect(card(bo.page)).toHaveCount(0);

  await unfinished(author).getByRole("button", { name: "Send" }).click();
  await expect(card(bo.page)).toHaveCount(1);
  await expect(unfinished(author)).toHaveCount(0);
  expect((await messages(hark, conversation)).map(({ id }) => id)).toEqual([draft.id]);
  await author.getByRole("button", { name: "Undo" }).click();
  await expect(card(bo.page)).toHaveCount(0);
  await expect(unfinished(author)).toHaveCount(1);
  // By a stream of its own. While it was sent there may still have been work on it.
  const told = async () => (await bo.told()).filter((type) => !["message.updated", "message.progress"].includes(type));
  await expect.poll(told).toEqual(["message.created", "message.deleted"]);
  const { length } = await bo.told();

  await unfinished(author).getByRole("button", { name: /^Discard/ }).click();
  await author.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(unfinished(author)).toHaveCount(0);
  await expect.poll(() => draftsOf(hark, conversation)).toEqual([]);
  expect(await bo.told()).toHaveLength(length);
  expect(wrong).toEqual([[], []]);
  await Promise.all([author.context().close(), bo.page.context().close()]);
});

test("the device that recorded it shows it once, and sends all of it", async ({ context, hark }) => {
  const page = await context.newPage();
  await signIn(page, hark.signInAddress());
  const conversation = await enter(page, hark, "Once");
  await recordLive(page, hark, conversation);
  await spoken(page, 3);
  await closeTab(page);
  const draft = await draftThere(hark, conversation);
  // However late the device is with what it has: what the server has may be less of it.
  const letGo = await occupyDevice(context, hark);
  const again = await context.newPage();
  const read = again.waitForResponse(/\/v1\/drafts/);
  await again.goto(`${hark.url}/c/${conversation}`);
  await (await read).finished();
  await expect(again.getByRole("button", { name: "Microphone" })).toBeVisible();
  await expect(unfinished(again)).toHaveCount(0);
  await letGo();
  await expect(unfinished(again)).toHaveCount(1);
  await expect(unfinished(again)).toContainText("Only you can see it");
  await unfinished(again).getByRole("button", { name: "Send" }).click();
  await expect(card(again)).toHaveCount(1);
  await expect(unfinished(again)).toHaveCount(0);
  expect((await messages(hark, conversation)).map(({ id }) => id)).toEqual([draft.id]);
  await expect.poll(() => draftsOf(hark, conversation)).toEqual([]);
});

test("a draft is gone on with in another browser, and both halves are sent as one", async ({ browser, context, hark }) => {
  const page = await context.newPage();
  await signIn(page, hark.signInAddress());
  const conversation = await enter(page, hark, "Gone on with");
  await recordLive(page, hark, conversation);
  await spoken(page, 3);
  await closeTab(page);
  const first = await draftThere(hark, conversation);

  const tab = await another(browser, hark.signInAddress());
  await tab.goto(`${hark.url}/c/${conversation}`);
  await unfinished(tab).getByRole("button", { name: "Continue" }).click();
  await spoken(tab, Math.ceil(first.duration_ms! / 1000) + 3); // those from before count
  const length = await pause(tab);
  expect(length).toBeGreaterThan(first.duration_ms! + 1500);
  await recorder(tab).getByRole("textbox", { name: "Title" }).fill("Both halves");
  await send(tab);
  const message = await only(hark, conversation);
  expect(message.title).toBe("Both halves");
  expectWhole(message.duration_ms, length);
  await expect(unfinished(tab)).toHaveCount(0);
  await expect.poll(() => draftsOf(hark, conversation)).toEqual([]);
  await tab.context().close();
});

test("sent without a connection: it goes out later, once", async ({ app, context, hark }) => {
  const conversation = await enter(app, hark, "Later");
  await recordLive(app, hark, conversation);
  await spoken(app, 2);
  await context.setOffline(true);
  await send(app);
  await expect(pending(app).getByText(/Waiting for a connection/)).toBeVisible({ timeout: 20_000 });
  expect(await messages(hark, conversation)).toEqual([]);
  await context.setOffline(false);
  await expect(card(app)).toHaveCount(1, { timeout: 30_000 });
  await expect(app.getByRole("button", { name: "Undo" })).toBeVisible();
  await expect.poll(() => draftsOf(hark, conversation)).toEqual([]);
  expect(await messages(hark, conversation)).toHaveLength(1);
  await expect(record(app)).toBeVisible();
  await expect(recorder(app)).toBeHidden();
});
