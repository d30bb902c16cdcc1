/* The keyboard: keys belong to the control that has the focus, and to who composes a word. */
import type { CDPSession, Page } from "@playwright/test";

import { expect, test as base, upToDate } from "./app";
import { listenIn, sound } from "./sound";
import { enter, record, recorder, spoken } from "./speaking";
import { lasting } from "./speech";

/** A conversation with messages of two days, one of which has a sound. */
const test = base.extend<object, { said: { conversation: string; id: string } }>({
  said: [
    async ({ hark }, use) => {
      const conversation = await hark.conversation("By keys");
      hark.command("bench", "seed", conversation, "--messages=60");
      const { id } = await hark.send(conversation, lasting("confbridge-mute-extended"), { title: "Sounding" });
      await use({ conversation, id });
    },
    { scope: "worker" },
  ],
});

/** An input method, as Chromium hears of one. */
class InputMethod {
  private constructor(private readonly session: CDPSession) {}

  static async of(page: Page) {
    return new InputMethod(await page.context().newCDPSession(page));
  }

  compose = (text: string) => this.session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  confirm = (text: string) => this.session.send("Input.insertText", { text });

  /** Enter: within a composition, or after its end as Safari tells it, with the key code of input methods. */
  async enter(code: 13 | 229) {
    const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: code, text: "\r" };
    await this.session.send("Input.dispatchKeyEvent", { type: "keyDown", ...key });
    await this.session.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
  }

  /** Composes a word and confirms it in both orders of events. */
  async write(text: string) {
    await this.compose("にほ");
    await this.enter(13);
    await this.confirm(text);
    await this.enter(229);
  }
}

test("Enter that ends a composition sends nothing and opens nothing", async ({ app, hark, said }) => {
  await app.goto(`${hark.url}/search?conversation=${said.conversation}`);
  await expect(app.locator("#hit-0")).toBeVisible();
  const method = await InputMethod.of(app);
  const asked: string[] = [];
  app.on("request", (request) => request.url().includes("/v1/search") && asked.push(new URL(request.url()).searchParams.get("q") ?? ""));
  await app.getByRole("searchbox").focus();
  await method.write("日本");
  await expect(app.getByRole("searchbox")).toBeFocused();
  await expect(app.getByRole("searchbox")).toHaveValue("日本");
  await expect(app.getByText("No results for “日本”")).toBeVisible();
  expect(asked).toEqual(["日本"]); // not what was still being composed

  // A title in its place.
  await app.goto(`${hark.url}/c/${said.conversation}`);
  const card = app.getByRole("article", { name: /Sounding/ });
  await card.getByRole("button", { name: "Message menu" }).click();
  await app.getByRole("menuitem", { name: "Edit title" }).click();
  const title = card.getByRole("textbox", { name: "Title" });
  await expect(title).toBeFocused();
  await method.write("日本");
  await expect(title).toHaveValue("日本");
  await title.fill("Sounding");
  await title.press("Enter");
  await expect(title).toHaveCount(0);

  // A form that makes something.
  await app.getByRole("button", { name: "New conversation" }).click();
  const name = app.getByRole("dialog").getByRole("textbox", { name: "Title" });
  await name.focus();
  await method.write("日本");
  await expect(name).toHaveValue("日本");
  await app.keyboard.press("Escape");
  await expect(app.getByRole("dialog")).toHaveCount(0);
  expect((await hark.json<{ items: { title: string }[] }>("/v1/conversations")).items.map((one) => one.title)).not.toContain("日本");

  // What would be sent.
  await enter(app, hark, "Composed");
  await record(app).click();
  await spoken(app, 1);
  await app.keyboard.press(" ");
  const titled = recorder(app).getByRole("textbox", { name: "Title" });
  await titled.focus();
  await method.write("日本");
  await expect(titled).toHaveValue("日本");
  await expect(recorder(app).getByRole("button", { name: "Send" })).toBeEnabled();
  await app.keyboard.press("Escape");
  await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(recorder(app)).toBeHidden();
});

test("keys belong to the control with the focus, never to the player", async ({ page, app, hark, said }) => {
  await listenIn(page);
  await app.goto(`${hark.url}/c/${said.conversation}`);
  await app.getByRole("button", { name: "Play Sounding" }).click();
  await expect.poll(async () => (await sound(app)).paused).toBe(false);
  await app.keyboard.press(" "); // the button's own
  await expect.poll(async () => (await sound(app)).paused).toBe(true);
  await app.getByRole("link", { name: /Settings/ }).click();
  const { at } = await sound(app);
  const place = async () => Math.round((await sound(app)).at);

  const skip = app.getByRole("switch", { name: "Skip silence" }).first();
  const before = await skip.isChecked();
  await skip.focus();
  await app.keyboard.press(" ");
  await expect(skip).toBeChecked({ checked: !before });
  await app.keyboard.press("Enter");
  await app.keyboard.press(" ");
  await expect(skip).toBeChecked({ checked: before });
  await app.getByRole("combobox", { name: "Language" }).focus();
  for (const key of ["ArrowDown", "ArrowUp", "n", "/"]) await app.keyboard.press(key);
  await app.getByRole("radio").first().focus();
  for (const key of ["ArrowRight", "ArrowLeft", " "]) await app.keyboard.press(key);
  await app.getByRole("heading", { level: 1 }).click(); // on nothing that takes keys
  for (const key of ["Control+ArrowRight", "Shift+ArrowRight", "Alt+n"]) await app.keyboard.press(key);
  await expect(app).toHaveURL(/\/settings$/);
  expect(await sound(app)).toMatchObject({ paused: true, at });

  await app.keyboard.press("ArrowRight");
  await expect.poll(place).toBeGreaterThanOrEqual(Math.round(at) + 4);
  await app.keyboard.press(" ");
  await expect.poll(async () => (await sound(app)).paused).toBe(false);
  await app.keyboard.press(" ");
  await expect.poll(async () => (await sound(app)).paused).toBe(true);
  // Two presses before the browser told of the first are two all the same.
  const twice = () =>
    app.evaluate(() => {
      for (let i = 0; i < 2; i++) document.body.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true }));
    });
  await twice();
  expect((await sound(app)).paused).toBe(true);
  await app.keyboard.press(" ");
  await expect.poll(async () => (await sound(app)).paused).toBe(false);
  await twice();
  expect((await sound(app)).paused).toBe(false);
});

test("the skip link moves the focus, and positions count messages", async ({ app, hark, said }) => {
  await app.goto(`${hark.url}/c/${said.conversation}`);
  const card = app.getByRole("article", { name: /Sounding/ });
  await expect(card).toHaveAttribute("aria-posinset", "50"); // of those that are read
  await upToDate(app); // it reads them once more when it hears of events
  await app.keyboard.press("Tab");
  await expect(app.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await app.keyboard.press("Enter");
  await expect(app.getByRole("main")).toBeFocused();
  await app.keyboard.press("Tab");
  expect(await app.evaluate(() => document.activeElement!.closest("main") !== null)).toBe(true);
  // At the beginning all are known: the first is the first of 61.
  const first = app.getByRole("article").first();
  await expect.poll(async () => {
    await app.locator(".feed .box").evaluate((box) => (box.scrollTop = 0)); // older ones that come hold what is in view
    return first.getAttribute("aria-posinset");
  }).toBe("1");
  await expect(app.getByText("This is the beginning of the conversation.")).toBeVisible();
  await expect(first).toHaveAttribute("aria-setsize", "61");
});

test("a list that goes away in mid-measure is measured no more", async ({ app, hark, said }) => {
  await app.goto(`${hark.url}/c/${said.conversation}`);
  await expect(app.getByRole("article").first()).toBeVisible();
  // Rows that grow, frames that are due and scrolls that were not told yet, while the page goes elsewhere and back.
  await app.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    for (let i = 0; i < 40; i++) {
      const box = document.querySelector<HTMLElement>(".feed .box");
      if (box) {
        box.scrollTop = (i % 5) * 400;
        for (const row of box.querySelectorAll<HTMLElement>("[data-key]")) row.style.paddingBottom = `${i % 7}px`;
      }
      document.querySelector<HTMLAnchorElement>("a.search")!.click();
      if (i % 2) await frame();
      history.back();
      await new Promise((there) => addEventListener("popstate", there, { once: true }));
      if (i % 3) await frame();
    }
  });
  await expect(app.getByRole("article").first()).toBeVisible();
});
