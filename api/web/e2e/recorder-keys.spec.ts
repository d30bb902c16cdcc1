/* The recorder by keyboard alone, held on a phone, refused; and the app without a connection. */
import { expect, test } from "./app";
import { pointIn } from "./finger";
import { draftsOf, enter, messages, record, recorder, spoken } from "./speaking";

test("by keyboard: begin, pause, go on, throw nothing away by chance, name it, send", async ({ app, hark }) => {
  const conversation = await enter(app, hark, "By keyboard");
  await record(app).focus();
  await app.keyboard.press("Enter");
  await expect(recorder(app)).toBeFocused();
  await spoken(app, 2);
  await app.keyboard.press(" ");
  await expect(recorder(app).getByRole("button", { name: "Listen" })).toBeVisible();
  await app.keyboard.press("r");
  await expect(recorder(app).getByRole("timer")).toBeVisible();
  await app.keyboard.press("Escape");
  await expect(app.getByRole("dialog")).toBeVisible();
  await app.keyboard.press("Escape");
  await expect(app.getByRole("dialog")).toBeHidden();
  await recorder(app).getByRole("textbox", { name: "Title" }).focus();
  await app.keyboard.type("R and Space are letters here");
  await app.keyboard.press("Enter");
  await expect(recorder(app)).toBeHidden();
  await expect.poll(async () => (await messages(hark, conversation)).map((m) => `${m.state} ${m.title}`), { timeout: 90_000 }).toEqual(["ready R and Space are letters here"]);
});

test("Space is held to talk", async ({ app, hark }) => {
  const conversation = await enter(app, hark, "Held Space");
  await app.keyboard.down(" ");
  await spoken(app, 2);
  await app.keyboard.up(" ");
  await expect(recorder(app)).toBeHidden();
  await expect.poll(async () => (await messages(hark, conversation)).map((m) => m.state), { timeout: 90_000 }).toEqual(["ready"]);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 360, height: 700 }, hasTouch: true });

  test("held it is sent when let go, aside it is thrown away, up it goes on", async ({ app, hark }) => {
    const conversation = await enter(app, hark, "Held");
    const touch = await app.context().newCDPSession(app);
    const finger = (type: "touchStart" | "touchMove" | "touchEnd", at?: { x: number; y: number }) => touch.send("Input.dispatchTouchEvent", { type, touchPoints: at ? [at] : [] });
    const down = async () => {
      const at = await pointIn(record(app));
      await finger("touchStart", at);
      return at;
    };

    let at = await down();
    await spoken(app, 1);
    await finger("touchMove", { x: at.x - 60, y: at.y });
    await finger("touchMove", { x: at.x - 120, y: at.y });
    await finger("touchEnd");
    await expect(recorder(app)).toBeHidden();
    await expect.poll(() => messages(hark, conversation)).toEqual([]);

    await down();
    await spoken(app, 2);
    await finger("touchEnd");
    await expect(recorder(app)).toBeHidden();
    await expect.poll(async () => (await messages(hark, conversation)).length, { timeout: 30_000 }).toBe(1);

    at = await down();
    await spoken(app, 1);
    await finger("touchMove", { x: at.x, y: at.y - 40 });
    await finger("touchMove", { x: at.x, y: at.y - 90 });
    await finger("touchEnd");
    await expect(recorder(app).getByRole("button", { name: "Send" })).toBeVisible();
    await spoken(app, 3);
    expect(await app.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await recorder(app).getByRole("button", { name: "Send" }).tap();
    await expect.poll(async () => (await messages(hark, conversation)).map((m) => m.state), { timeout: 90_000 }).toEqual(["ready", "ready"]);
  });
});

test("who leaves the conversation pauses; the recording is found again", async ({ app, hark }) => {
  await hark.conversation("Next door");
  const conversation = await enter(app, hark, "Left");
  await record(app).click();
  await spoken(app, 1);
  await app.getByRole("link", { name: /^Next door/ }).click();
  await expect(app.getByText("Paused because you left the conversation.")).toBeVisible();
  await app.getByRole("link", { name: "Go there" }).click();
  await expect(recorder(app).getByRole("button", { name: "Resume" })).toBeVisible();
  await app.keyboard.press("Escape");
  await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(record(app)).toBeVisible();
  await expect.poll(() => draftsOf(hark, conversation)).toEqual([]); // else it would be others' to find
  expect(await messages(hark, conversation)).toEqual([]);
});

for (const [name, sentence] of [["NotAllowedError", "allow the microphone"], ["NotFoundError", "Connect one"], ["NotReadableError", "Close the app"]] as const) {
  test(`no microphone, by ${name}: what to do is said`, async ({ app, hark }) => {
    await enter(app, hark, name);
    await app.evaluate((error) => (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", error))), name);
    await record(app).click();
    await expect(app.getByRole("alert").filter({ hasText: sentence })).toBeVisible();
    await expect(record(app)).toBeVisible();
  });
}

test("the app opens without a connection, and keeps no answers", async ({ app, context, hark }) => {
  await app.goto(hark.url);
  await app.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await expect.poll(() => app.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  const kept = await app.evaluate(async () => (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map((r) => new URL(r.url).pathname)))).flat());
  expect(kept).toContain("/");
  expect(kept.filter((path) => path.startsWith("/v1"))).toEqual([]);
  await context.setOffline(true);
  await app.goto(`${hark.url}/search`);
  await expect(app.getByText(/Offline/)).toBeVisible();
  await app.getByRole("searchbox").fill("anything");
  await expect(app.getByText(/Can’t reach Hark/)).toBeVisible();
  await context.setOffline(false);
  await app.reload();
  await expect(app.getByRole("searchbox")).toBeVisible();
  const address = `${hark.url}/manifest.webmanifest`;
  const manifest = (await (await app.request.get(address)).json()) as { icons: { src: string }[] };
  expect(manifest.icons).not.toHaveLength(0);
  for (const { src } of manifest.icons) expect((await app.request.get(new URL(src, address).href)).ok()).toBe(true);
});
