/*
 * The recorder on a slow device: what is awaited comes late, at random with a
 * seed, while somebody records, pauses, goes on, cuts, sends and throws away.
 * What the page says it recorded is in the message, and nothing else.
 *
 * A few seeds each time, 200 by `npm run seeds`; SEEDS says how many, and
 * SEED_FROM which is the first.
 */
import type { Page } from "@playwright/test";

import { en } from "../src/words/en";
import { expect, signIn, watch } from "./app";
import type { Hark } from "./hark";
import { test } from "./quiet";
import { type Heard, makeSlow, pitches, slotMS } from "./slowness";
import { enter, messages } from "./speaking";

const seeds = Number(process.env.SEEDS) || 3;
const from = Number(process.env.SEED_FROM) || 1;
const perPage = 25; // a page with a tone that lasts

interface Done {
  sent: boolean;
  deeds: string[];
  /** How often something was pressed twice before the page could show the first. */
  atOnce: number;
  said: Heard["said"];
  /** How long the page said it is, once paused: with what was cut, and without. */
  shown?: number;
  /** What was cut, in ms of what was recorded. */
  cut?: number;
}

interface Slowness {
  sleep(ms: number): Promise<void>;
  random(): number;
  shown(within: ParentNode, name: string): HTMLButtonElement | undefined;
  region(): Element | null;
  said: Heard["said"];
  forget(): void;
  begin(seed: number, pauseName: string): void;
  end(): void;
  hear(address: string): Promise<Omit<Heard, "said">>;
}

const { record, pause, resume, discard, cutHere, send, savedAll } = en.recorder;

/** Records as a seed says, in the page; tells what was done, and what the page said of it. */
const recordOnce = (page: Page, seed: number) =>
  page.evaluate(
    async ({ seed, words }): Promise<Done> => {
      const { slowness } = window as unknown as { slowness: Slowness };
      const { sleep, random, shown, region, said } = slowness;
      const deeds: string[] = [];
      const until = async <T>(what: string, look: () => T | undefined | null | false): Promise<T> => {
        for (const end = performance.now() + 30_000; performance.now() < end; await sleep(10)) {
          const found = look();
          if (found) return found;
        }
        throw new Error(`seed ${seed}: ${what} never came, after ${deeds.join(", ")}`);
      };
      const press = async (name: string, within: () => ParentNode | null = region) => {
        (await until(name, () => within() && shown(within()!, name))).click();
        deeds.push(name);
      };
      const can = (name: string) => region() && shown(region()!, name);
      const isPaused = () => can(words.resume);
      const isSaved = () => [...(region()?.querySelectorAll("[role=status]") ?? [])].some((line) => line.textContent === words.savedAll);
      const length = () => Number(region()?.querySelector<HTMLInputElement>("input[type=range]")?.max ?? 0);
      const throwAway = async () => {
        await press(words.discard);
        await press(words.discard, () => document.querySelector("dialog[open]"));
        await until("the end of the recorder", () => !region());
      };

      slowness.begin(seed, words.pause);
      try {
        await press(words.record, () => document);
        for (let again = 0; again < 2 && random() < 0.4; again++) {
          await sleep(1200 * random());
          await throwAway();
          slowness.forget();
          await press(words.record, () => document);
        }
        await until("the microphone", () => can(words.pause));
        let cut: number | undefined;
        let atOnce = 0;
        for (let left = 2 + 4 * random(); left > 0; left--) {
          await sleep(250 + 1100 * random());
          const dice = random();
          if (dice < 0.4) {
            // At once, or as soon as one can.
            await press(isPaused() ? words.resume : words.pause);
            if (random() < 0.6) {
              await press(isPaused() ? words.resume : words.pause);
              atOnce++;
            }
          } else if (dice < 0.7) {
            await press(isPaused() ? words.resume : words.pause);
          } else if (isPaused() && length() > 1200 && cut === undefined) {
            const slider = region()!.querySelector<HTMLInputElement>("input[type=range]")!;
            await sleep(700); // what was said is all there is
            const place = Math.round((length() * (0.4 + 0.4 * random())) / 100) * 100;
            slider.value = String(place);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await press(words.cutHere);
            cut = place;
            said.push({ from: NaN, to: place });
          }
        }
        if (random() < 0.15) {
          await throwAway();
          return { sent: false, deeds, atOnce, said: [...said] };
        }
        let paused: number | undefined;
        if (isPaused() || random() < 0.7) {
          if (!isPaused()) await press(words.pause);
          await until("the length", () => isPaused() && length() > 0);
          await sleep(2000); // it goes on, perhaps, as somebody just told it to
          await until("the last of it", () => !isPaused() || isSaved());
          if (isPaused()) paused = length();
        }
        await press(words.send);
        await until("the end of the recorder", () => !region());
        return { sent: true, deeds, atOnce, said: [...said], ...(paused !== undefined && { shown: paused }), ...(cut !== undefined && { cut }) };
      } finally {
        slowness.end();
      }
    },
    { seed, words: { record, pause, resume, discard, cutHere, send, savedAll } },
  );

/** The stretches that are in the message, by what the page said and what was cut. */
function stretches(said: Heard["said"]): { from: number; to: number }[] {
  let kept: { from: number; to: number }[] = [];
  for (const { from, to } of said) {
    if (!Number.isNaN(from)) kept.push({ from, to });
    else {
      let left = to;
      kept = kept.flatMap((one) => {
        const take = Math.min(left, one.to - one.from);
        left -= take;
        return take > 0 ? [{ from: one.from, to: one.from + take }] : [];
      });
    }
  }
  return kept;
}

/** How much the page may be late in saying what it does, on a machine that others share, and how long sound is on its way. */
const slack = 400;

function judge(seed: number, { deeds, atOnce, said, shown }: Done, heard: Omit<Heard, "said">) {
  const kept = stretches(said);
  const first = Math.round(kept[0]!.from / slotMS);
  // The pitch that is heard first is one near where it began.
  const offset = heard.slots.length ? Math.round((first - heard.slots[0]!) / pitches) * pitches : 0;
  const slots = new Set(heard.slots.map((slot) => slot + offset));
  const lost: number[] = [];
  for (const { from, to } of kept) {
    for (let slot = Math.ceil((from + slack) / slotMS); (slot + 1) * slotMS <= to - slack; slot++) if (!slots.has(slot)) lost.push(slot);
  }
  const near = (slot: number) => kept.some(({ from, to }) => (slot + 1) * slotMS >= from - slack && slot * slotMS <= to + slack);
  const report = `seed ${seed}: ${deeds.join(", ")}\nsaid ${JSON.stringify(kept.map(({ from, to }) => [from, to].map(Math.round)))}\nheard ${[...slots].join(" ")}`;
  expect.soft(lost, `lost slots; ${report}`).toEqual([]);
  const unsaid = [...slots].filter((slot) => !near(slot));
  expect.soft(unsaid.length, `slots ${unsaid.join(" ")} nobody said; ${report}`).toBeLessThanOrEqual(atOnce);
  expect.soft(heard.silent, `deaf for some ms; ${report}`).toBeLessThan(slack);
  const length = kept.reduce((sum, { from, to }) => sum + to - from, 0);
  expect.soft(Math.abs(heard.length - length), `${Math.round(heard.length)} ms are kept, ${Math.round(length)} ms were said; ${report}`).toBeLessThan(slack + 200 * kept.length);
  if (shown !== undefined) expect.soft(Math.abs(heard.length - shown), `${Math.round(heard.length)} ms are kept, the page said ${shown}; ${report}`).toBeLessThan(slack);
}

async function tryOut(page: Page, hark: Hark, conversation: string, seed: number) {
  const done = await recordOnce(page, seed);
  if (!done.sent) {
    await expect.poll(() => messages(hark, conversation), { message: `seed ${seed}: thrown away; ${done.deeds.join(", ")}` }).toEqual([]);
    return;
  }
  await expect.poll(async () => (await messages(hark, conversation)).map(({ state }) => state), { message: `seed ${seed}: sent; ${done.deeds.join(", ")}`, timeout: 60_000 }).toEqual(["ready"]);
  const { id } = (await messages(hark, conversation))[0]!;
  judge(seed, done, await page.evaluate((address) => (window as unknown as { slowness: Slowness }).slowness.hear(address), `${hark.url}/v1/messages/${id}/audio`));
  await fetch(`${hark.url}/v1/messages/${id}`, { method: "DELETE", headers: { Authorization: `Bearer ${hark.token}` } });
  await expect.poll(() => messages(hark, conversation)).toEqual([]);
}

for (let at = from; at < from + seeds; at += perPage) {
  const last = Math.min(at + perPage, from + seeds) - 1;
  test(`on a slow device, seeds ${at} to ${last}: what the page says it recorded is what is heard`, async ({ page, hark }) => {
    test.setTimeout(120_000 + 60_000 * (last - at));
    const wrong = watch(page);
    await makeSlow(page);
    await signIn(page, hark.signInAddress());
    const conversation = await enter(page, hark, `Slow, ${at}`);
    for (let seed = at; seed <= last; seed++) await tryOut(page, hark, conversation, seed);
    expect(wrong).toEqual([]);
  });
}
