/* The app where something else answers in Hark's place: proxies, portals, poisoned caches, a connection that hardly is one. */
import { instead, portalPage } from "./front";
import { cached, expect, forgetWorker, installed, list, test, versionOf, versions } from "./shell";
import { clock, messages, pending, record, recorder, send, spoken } from "./speaking";

test("whatever answers in Hark's place, the app opens and one can record", async ({ app, fronted: { hark, front } }) => {
  const conversation = await hark.conversation("In the café");
  await app.goto(`${hark.url}/c/${conversation}`);
  await installed(app);
  for (const [name, answer] of Object.entries(instead)) {
    await test.step(name, async () => {
      front.instead = answer;
      front.cut();
      await app.goto(`${hark.url}/c/${conversation}`, { waitUntil: "commit" });
      await expect(list(app).getByRole("link", { name: /^In the café/ })).toBeVisible({ timeout: 15_000 });
      await expect(app.getByRole("button", { name: "Microphone" })).toBeVisible({ timeout: 20_000 });
      await expect(app.getByRole("heading", { name: "Welcome to the café" })).toHaveCount(0);
    });
  }
  front.instead = instead["200 with its page"];
  front.cut();
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(app.getByRole("status").getByText(/Another page answered/).first()).toBeVisible();
  await record(app).click();
  await expect(recorder(app).getByText(/on this device/)).toBeVisible();
  await spoken(app, 2);
  expect(await clock(app)).toBeGreaterThanOrEqual(2);
  await recorder(app).getByRole("button", { name: "Pause" }).click();
  await send(app);
  await expect(pending(app).getByRole("button", { name: /Try again/ })).toBeVisible({ timeout: 20_000 }); // it was tried, and nobody said that it arrived
  expect(await messages(hark, conversation)).toEqual([]);

  // The way to the network's page; and Hark is back.
  const opened = app.context().waitForEvent("page");
  await app.getByRole("button", { name: "Open sign-in page" }).first().click();
  await expect((await opened).getByRole("heading", { name: "Welcome to the café" })).toBeVisible();
  await (await opened).close();
  front.instead = undefined;
  await pending(app).getByRole("button", { name: /Try again/ }).click({ timeout: 5000 }).catch(() => expect(pending(app)).toBeHidden()); // it may try by itself just before
  await expect.poll(async () => (await messages(hark, conversation)).length, { timeout: 20_000 }).toBe(1);
  await expect(pending(app)).toBeHidden();
});

test("nothing of a portal is ever kept, though the browser's own cache has it", async ({ app, fronted: { hark, front } }) => {
  await installed(app);
  await forgetWorker(app);
  // A portal answers for some files, and its answers stay in the browser's cache.
  const asked = new Set<string>();
  front.instead = instead["200 with its page"];
  front.only = (name) => /^(assets\/de-|icon\.svg)/.test(name) && !!asked.add(name);
  const german = await app.evaluate(async () => /assets\/de-[\w-]+\.js/.exec(await (await fetch(`${document.documentElement.dataset.base}/worker.js`)).text())![0]);
  const fetched = (mode: RequestCache) => app.evaluate(([url, cache]) => fetch(`${document.documentElement.dataset.base}/${url}`, { cache }).then((answer) => answer.text()), [german, mode] as const);
  expect(await fetched("reload")).toBe(portalPage);
  asked.clear();
  await app.reload();
  await expect.poll(() => asked.has(german), { timeout: 20_000 }).toBe(true); // the worker looked past the cache
  await expect.poll(() => versions(app)).toEqual([]);

  // The portal lets them through; what it left behind is not taken.
  front.instead = undefined;
  expect(await fetched("default")).toBe(portalPage);
  await app.goto(`${hark.url}/settings`);
  await installed(app);
  const kept = await cached(app);
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.filter((text) => text === portalPage || text === "")).toEqual([]);
  expect(await versions(app)).toEqual([await versionOf(app)]);
});

test("a device without room for the app's files loses nothing but the way to open without a connection", async ({ app, context, fronted: { hark } }) => {
  await installed(app);
  const session = await context.newCDPSession(app);
  await forgetWorker(app);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(hark.url).origin, quotaSize: 20_000 });
  const worker = context.waitForEvent("serviceworker");
  await app.goto(`${hark.url}/settings`);
  await worker;
  /** What there is of a worker, and of files: both come before the worker gives up. */
  const left = async () => {
    const workers = await app.evaluate(async () => {
      const it = await navigator.serviceWorker.getRegistration();
      return [it?.installing, it?.waiting, it?.active].filter(Boolean).length;
    });
    return { workers, versions: await versions(app) };
  };
  await expect.poll(left, { timeout: 20_000 }).toEqual({ workers: 0, versions: [] });
  await app.goto(hark.url); // which tries again
  await expect(list(app)).toBeVisible();
  await expect.poll(left, { timeout: 20_000 }).toEqual({ workers: 0, versions: [] });
});
