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
