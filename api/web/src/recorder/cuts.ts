/*
 * What was cut out of a recording. Times are milliseconds of all that was
 * recorded, as if nothing had been cut, unless said otherwise.
 */
import { barMS, voice } from "./levels";

/** Never empty. Cuts of one recording are in order and do not touch. */
export interface Cut {
  from: number;
  to: number;
}

/** A pause in speech, of which one may cut. */
const pause = 350;
/** What is cut at the least and, where no pause is found, at the most. */
const shortest = 1000;
const longest = 10_000;
const otherwise = 5000;

/** How much is left. */
export const left = (total: number, cuts: readonly Cut[]) => cuts.reduce((sum, cut) => sum - (Math.min(cut.to, total) - cut.from), total);

/** Where in the recording a place in what is left lies. */
export function source(place: number, cuts: readonly Cut[]): number {
  for (const cut of cuts) {
    if (place < cut.from) break;
    place += cut.to - cut.from;
  }
  return place;
}

/** Where in what is left a place in the recording lies; that of a cut lies at its start. */
export const target = (place: number, cuts: readonly Cut[]) => cuts.reduce((at, cut) => (place <= cut.from ? at : at - (Math.min(place, cut.to) - cut.from)), place);

/** Cuts all from a moment on. */
export function cutFrom(from: number, total: number, cuts: readonly Cut[]): Cut[] {
  const start = cuts.reduce((at, cut) => (at >= cut.from && at <= cut.to ? cut.from : at), Math.max(0, from));
  return start >= total ? [...cuts] : [...cuts.filter((cut) => cut.to < start), { from: start, to: total }];
}

/** The bars of what is left. */
export const barsLeft = (bars: readonly number[], cuts: readonly Cut[]) => bars.filter((_, i) => !cuts.some((cut) => i * barMS >= cut.from && i * barMS < cut.to));

/** The last so many bars of what is left, the newest first. */
export function lastBars(bars: readonly number[], cuts: readonly Cut[], count: number): number[] {
  const last: number[] = [];
  let cut = cuts.length - 1;
  for (let i = bars.length - 1; i >= 0 && last.length < count; i--) {
    while (cut >= 0 && i * barMS < cuts[cut]!.from) cut--;
    if (cut < 0 || i * barMS >= cuts[cut]!.to) last.push(bars[i]!);
  }
  return last;
}

/** The shape of it in at most so many peaks, each the loudest of its part. */
export function shape(bars: readonly number[], count: number): number[] {
  const step = Math.ceil(bars.length / count) || 1;
  return Array.from({ length: Math.ceil(bars.length / step) }, (_, i) => bars.slice(i * step, (i + 1) * step).reduce((high, bar) => Math.max(high, bar), 0));
}

/**
 * How much to cut for the last bit, in ms of what is left: back to the pause
 * before what was said last. bars are those of what is left.
 */
export function lastBit(bars: readonly number[]): number {
  const total = bars.length * barMS;
  const spoken = bars.findLastIndex((bar) => bar >= voice);
  let quiet = 0;
  for (let i = spoken; i >= 0 && total - i * barMS <= longest; i--) {
    quiet = bars[i]! < voice ? quiet + barMS : 0;
    const from = i * barMS + pause / 2; // a breath before it
    if (quiet >= pause && total - from >= shortest) return total - from;
  }
  return Math.min(total, otherwise);
}
