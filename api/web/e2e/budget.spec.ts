/* What the app may weigh and how long it may take, and what axe finds on its pages. */
import { expect, test } from "./app";
import { accessible } from "./axe";
import { prompt } from "./speech";

test("the first load is small and soon there, on a slow machine too", async ({ app, hark }) => {
  await app.goto("about:blank"); // what the page before still loads is none of the first load
  const session = await app.context().newCDPSession(app);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const bytes: Record<string, number> = {};
  const urls = new Map<string, string>();
  session.on("Network.responseReceived", (event) => urls.set(event.requestId, event.response.url));
  session.on("Network.loadingFinished", (event) => {
    const url = urls.get(event.requestId);
    if (url === undefined) return; // data:
    bytes[url] = (bytes[url] ?? 0) + event.encodedDataLength;
  });
  const began = Date.now();
  await app.goto(hark.url);
  await app.getByRole("button", { name: "New conversation" }).click();
  await expect(app.getByRole("dialog")).toBeVisible();
  const took = Date.now() - began;
  const scripts = Object.entries(bytes).filter(([url]) => url.endsWith(".js"));
  const weight = scripts.reduce((sum, [, size]) => sum + size, 0);
  console.log(`      ${weight} bytes of script, ${Object.keys(bytes).length} requests, pressed after ${took} ms`);
  expect(weight).toBeLessThan(110_000);
  expect(Object.keys(bytes).length).toBeLessThan(30); // two of them fonts, six of them asked of the API
  expect(Object.keys(bytes).every((url) => url.startsWith(hark.url))).toBe(true);
  expect(took).toBeLessThan(6000);
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`axe, ${colorScheme}`, () => {
    test.use({ colorScheme, contextOptions: { reducedMotion: "reduce" } }); // nothing half faded in: axe takes its colours for the final ones

    test("finds nothing on any page", async ({ app, hark, browser }) => {
      const conversation = await hark.conversation(`Axe ${colorScheme}`);
      const sent = await hark.send(conversation, prompt("tt-allbusy"), { title: "For axe" });
      await hark.ready(sent.id);
      const reply = await hark.send(conversation, prompt("vm-record-prepend"), { reply_to: sent.id, reply_at_ms: "1000" });
      await hark.ready(reply.id);
      const pages: Record<string, [string, () => Promise<unknown>]> = {
        conversation: [`/c/${conversation}`, () => expect(app.getByRole("link", { name: /Reply to/ })).toBeVisible()],
        message: [`/m/${sent.id}`, () => expect(app.locator("[data-w='0']")).toBeVisible()],
        "empty search": ["/search", () => expect(app.getByText("Search every word")).toBeVisible()],
        search: ["/search?q=telemarketers", () => expect(app.locator("#hit-0")).toBeVisible()],
        settings: ["/settings", () => expect(app.getByText("This browser")).toBeVisible()],
        nowhere: ["/c/01a204c2-4dc4-7140-b091-ce2f79242aa2", () => expect(app.getByText("Conversation not found")).toBeVisible()],
      };
      for (const size of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
        await app.setViewportSize(size);
        for (const [name, [path, there]] of Object.entries(pages)) {
          await app.goto(hark.url + path);
          await there();
          await accessible(app, `${name} ${size.width}`);
        }
      }
      await app.goto(hark.url);
      await expect(app.getByRole("link", { name: /^Axe/ }).first()).toBeVisible();
      await accessible(app, "list");
      await app.getByRole("button", { name: "New conversation" }).click();
      await accessible(app, "new conversation");
      await app.keyboard.press("Escape");
      await app.setViewportSize({ width: 1280, height: 800 }); // a phone has them in the full player
      await app.goto(`${hark.url}/c/${conversation}`);
      await app.getByRole("button", { name: "Play For axe" }).first().click();
      await app.getByRole("button", { name: /Playback options/ }).click();
      await accessible(app, "player options");
      await app.keyboard.press("Escape");
      await app.getByRole("button", { name: "Message menu" }).first().click();
      await accessible(app, "menu");

      const out = await browser.newContext({ colorScheme });
      const page = await out.newPage();
      await page.goto(hark.url);
      await expect(page.getByRole("heading", { name: "Say it once." })).toBeVisible();
      await accessible(page, "welcome");
      await out.close();
    });
  });
}
