/* What the tests of the look measure, and the conversation that they measure it in. */
import type { Page } from "@playwright/test";

import type { Hark } from "./hark";
import { beep } from "./wav";

/** What the people say, one after the other. */
export const said = [
  ["Ada Lovelace", "We reached the harbour a little after nine. The crane was already loading the second ship, and the wind came hard from the north."],
  ["Ada Lovelace", "Bring the long cable."],
  ["Grace Hopper", "I spoke with the pilot. She says the channel has moved again, about forty metres to the east, and the old charts are no use."],
  ["Grace Hopper", "High water is at a quarter past six. I have written it on the board."],
  ["Grace Hopper", "And the bells are at seven."],
  ["Ada Lovelace", "Good. I will walk along the pier in the morning and record the bells, if the weather lets me, and then come over to you."],
  ["Ada Lovelace", "Please listen to the end of this, because the last minute is the engine of the ferry, and I would like to know whether you hear the knocking too."],
  ["Grace Hopper", "Yes, I hear it. It is the coupling, I think, not the engine."],
  ["Grace Hopper", "We had the same trouble last year, on the way back from the island."],
  ["Ada Lovelace", "Then I will ask the yard."],
  ["Grace Hopper", "Do. They know the boat, and they had the part in store when I last asked them for one."],
  ["Ada Lovelace", "They open at eight."],
] as const;

/** Sends all that into a conversation of these people and the owner. */
export async function talk(hark: Hark, title: string) {
  const tokens = new Map<string, string>();
  for (const name of new Set(said.map(([who]) => who))) {
    hark.command("user", "add", name);
    tokens.set(name, hark.command("token", "create", "--user", name));
  }
  const { items } = await hark.json<{ items: { id: string }[] }>("/v1/users");
  const { id } = await hark.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title, member_ids: items.map((user) => user.id) }) });
  const texts = new Map<string, string>();
  for (const [i, [who, text]] of said.entries()) {
    const seconds = i === said.length - 1 ? 40 : 1 + (i % 4); // the last plays for as long as one looks at it
    texts.set((await hark.send(id, beep(seconds), {}, tokens.get(who))).id, text);
  }
  return { id, texts, tokens };
}

/** Has the page take these messages as transcribed: nobody listens to beeps. */
export async function transcribed(page: Page, texts: Map<string, string>) {
  const ready = <T extends { id: string }>(message: T) => (texts.has(message.id) ? { ...message, state: "ready", failure: undefined, transcript_version: 1 } : message);
  await page.route(/\/v1\/conversations\/[^/]+\/messages(\?|$)/, async (route) => {
    const list = (await (await route.fetch()).json()) as { items: { id: string }[] };
    await route.fulfill({ json: { ...list, items: list.items.map(ready) } });
  });
  await page.route(/\/v1\/messages\/[^/]+$/, async (route) => {
    const answer = await route.fetch();
    await (answer.ok() ? route.fulfill({ json: ready((await answer.json()) as { id: string }) }) : route.fulfill({ response: answer }));
  });
  await page.route(/\/v1\/messages\/[^/]+\/transcript\.json/, (route) => {
    const id = route.request().url().split("/").at(-2)!;
    if (!texts.has(id)) return route.continue();
    const words = (texts.get(id) ?? "").split(" ").map((text, i) => ({ text, start_ms: i * 80, end_ms: i * 80 + 70, confidence: 0.9 }));
    const segment = { start_ms: 0, end_ms: words.at(-1)!.end_ms, text: texts.get(id), words };
    return route.fulfill({ json: { message_id: id, version: 1, language: "en", text: texts.get(id), segments: [segment], gaps: [], language_doubt: false } });
  });
  await page.route(/\/v1\/messages\/[^/]+\/waveform/, (route) =>
    route.fulfill({ json: { duration_ms: 2000, peaks: Array.from({ length: 100 }, (_, i) => Math.abs(Math.sin(i / 5) * Math.cos(i / 17))) } }),
  );
}

/**
 * What is not where it can be reached: what stands outside of the screen and
 * cannot be scrolled into it, and a page that scrolls as a whole.
 */
export const lost = (page: Page) =>
  page.evaluate(() => {
    const wrong: string[] = [];
    for (const root of [document.documentElement, document.body]) {
      if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) wrong.push(`${root.tagName} is ${root.scrollWidth} × ${root.scrollHeight}`);
    }
    const scrolls = (element: Element, way: "X" | "Y") => {
      for (let box = element.parentElement; box; box = box.parentElement) if (/auto|scroll/.test(getComputedStyle(box)[`overflow${way}`])) return true;
      return false;
    };
    for (const element of document.querySelectorAll<HTMLElement>("a, button, input, select, h1, h2, [role=slider]")) {
      if (!element.checkVisibility({ visibilityProperty: true }) || element.closest(".unseen, .skip")) continue;
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const aside = (left < -0.5 || right > innerWidth + 0.5) && !scrolls(element, "X");
      const above = (top < -0.5 || bottom > innerHeight + 0.5) && !scrolls(element, "Y");
      if (aside || above) wrong.push(`${element.outerHTML.slice(0, 90)} at ${Math.round(left)},${Math.round(top)} to ${Math.round(right)},${Math.round(bottom)}`);
    }
    return wrong;
  });

/** Contrast of a path's stroke with what it stands on (WCAG 2.2, 1.4.11). */
export const strokeContrast = (page: Page, path: string) =>
  page.locator(path).first().evaluate((element) => {
    if (!element.isConnected) return 0; // a list drew its rows anew
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const layers: string[] = [];
    for (let box: Element | null = element; box; box = box.parentElement) layers.unshift(getComputedStyle(box).backgroundColor);
    const luminance = (colours: string[]) => {
      paint.fillStyle = "#fff";
      paint.fillRect(0, 0, 1, 1);
      for (const colour of colours) {
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
      }
      const [r, g, b] = Array.from(paint.getImageData(0, 0, 1, 1).data, (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const [ground, stroke] = [luminance(layers), luminance([...layers, getComputedStyle(element).stroke])];
    return (Math.max(ground, stroke) + 0.05) / (Math.min(ground, stroke) + 0.05);
  });
