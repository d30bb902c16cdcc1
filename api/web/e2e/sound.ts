/* The sound element of the page, which stands in no document. */
import { expect, type Page } from "@playwright/test";

type WithSound = Window & { sound: HTMLAudioElement; heard: number[]; jumps: [number, number][] };

/** Keeps hold of the element that the page makes, and notes where it plays and jumps. */
export async function listenIn(page: Page) {
  await page.addInitScript(() => {
    const own = window as unknown as WithSound;
    own.heard = [];
    own.jumps = [];
    const Original = window.Audio;
    window.Audio = class extends Original {
      constructor(src?: string) {
        super(src);
        own.sound ??= this;
        let last = 0;
        this.addEventListener("seeking", () => own.jumps.push([last, this.currentTime]));
        this.addEventListener("timeupdate", () => own.heard.push((last = this.currentTime)));
      }
    };
  });
}

/** What the element says of itself. */
export const sound = (page: Page) =>
  page.evaluate(() => {
    const { currentTime, duration, paused, playbackRate, preservesPitch, currentSrc } = (window as unknown as WithSound).sound;
    return { at: currentTime, length: duration, paused, rate: playbackRate, preservesPitch, src: currentSrc };
  });

export const at = async (page: Page) => (await sound(page)).at;

/** Waits until it has played to its end. */
export const ended = (page: Page) => expect.poll(() => page.evaluate(() => (window as unknown as WithSound).sound.ended)).toBe(true);

/** The jumps since it was asked last, each from and to where, in seconds. */
export const jumps = (page: Page) => page.evaluate(() => (window as unknown as WithSound).jumps.splice(0));

/** Waits until it has jumped back by so many seconds, or about, since that was asked last. */
export async function jumpedBack(page: Page, seconds: number, within = 2) {
  const by: number[] = [];
  await expect.poll(async () => (by.push(...(await jumps(page)).map(([from, to]) => from - to)), by.some((length) => Math.abs(length - seconds) <= within)), { message: `a jump back by ${seconds} s` }).toBe(true);
}

/** Waits until it has jumped to a second, about, since that was asked last: where it is now is further on, on a slow machine far. */
export async function jumpedTo(page: Page, second: number, within = 0.5) {
  const to: number[] = [];
  await expect.poll(async () => (to.push(...(await jumps(page)).map(([, place]) => place)), to.some((place) => Math.abs(place - second) <= within)), { message: `a jump to ${second} s` }).toBe(true);
}
