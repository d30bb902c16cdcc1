/*
 * What people call things is shown as text, whatever it is, and does not push
 * the page apart.
 */
import { expect, signIn, test, watch } from "./app";
import { prompt } from "./speech";

const script = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;
const flood = "🎉👩‍👩‍👧‍👦".repeat(18);
const tall = `Z${"̀́̂̃".repeat(30)}algo`;
const rtl = "‮gnp.exe — مرحبا";

test("hostile names, titles and words are text", async ({ browser, hark }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const wrong = watch(page);
  const address = hark.signInAddress(`${script.slice(0, 70)} ${Array.from(flood).slice(0, 9).join("")}`);
  const people = await hark.json<{ items: { id: string }[] }>("/v1/users");
  for (const title of [script, flood, tall, rtl, "W".repeat(200)]) {
    const { id } = await hark.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title, member_ids: people.items.map((p) => p.id) }) });
    const sent = await hark.send(id, prompt("vm-record-prepend"), { title, filename: `${Array.from(title).slice(0, 40).join("")}.wav` });
    await hark.ready(sent.id);
    const said = { segments: [{ start_ms: 0, end_ms: 900, text: `${title} hark`, words: [{ text: title, start_ms: 0, end_ms: 900 }] }] };
    await context.route(`**/v1/messages/${sent.id}/transcript.json`, (route) => route.fulfill({ json: { message_id: sent.id, version: 1, text: `${title} hark`, ...said, gaps: [], language_doubt: false } }));

    if (page.url() === "about:blank") await signIn(page, address);
    for (const path of [`/c/${id}`, `/m/${sent.id}`, `/search?q=${encodeURIComponent(Array.from(title).slice(0, 40).join(""))}`, "/", "/settings"]) {
      await page.goto(hark.url + path);
      await expect(page.locator("h1, h2").first()).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(390);
      expect(await page.title()).not.toBe("taken");
      expect(await page.locator("img, #app script, iframe").count(), path).toBe(0);
    }
    await page.goto(`${hark.url}/m/${sent.id}`);
    await expect(page.locator("[data-w='0']")).toHaveText(title);
  }
  expect(wrong).toEqual([]);
  await context.close();
});

test("what lies in the browser's storage, and what a tab of another version says, breaks nothing", async ({ app, hark }) => {
  const conversation = await hark.conversation("Undisturbed");
  const { id } = await hark.json<{ id: string }>("/v1/me");
  for (const left of ["{", "null", "5", "[]", '{"me":5,"user":5,"copies":5,"rate":"fast","theme":7,"at":"now","address":5}']) {
    // Left there by a page that is not the app, which would take it for another tab's and load itself anew.
    await app.goto(`${hark.url}/page.css`);
    await app.evaluate((text) => {
      for (const key of ["known", "prefs", "places", "offline", "landing"]) for (const storage of [localStorage, sessionStorage]) storage.setItem(`hark.${key}`, text);
    }, left);
    await app.goto(`${hark.url}/c/${conversation}`);
    await expect(app.getByRole("heading", { name: "Undisturbed" })).toBeVisible();
  }
  await app.evaluate((user) => {
    for (const name of [`hark.events/${user}`, "hark.player", "hark-shelf"]) {
      const channel = new BroadcastChannel(name);
      for (const said of [null, 5, "", [], {}, { kind: "lead" }, { kind: "event", leader: {} }, { kind: "bye", leader: null }]) channel.postMessage(said);
    }
  }, id);
  await hark.send(conversation, prompt("vm-record-prepend"), { title: "Heard all the same" });
  await expect(app.getByRole("article", { name: /Heard all the same/ })).toBeVisible();
});
