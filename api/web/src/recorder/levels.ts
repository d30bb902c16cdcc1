/*
 * How loud it was, as bars of 50 ms from the first sample on, and what is wrong
 * with the sound, if anything.
 */

export const barMS = 50;
/** A peak below this, of full scale, is no voice. */
export const voice = 0.02;

const zero = 1e-6;
const clipped = 0.99;
const mutedAfter = 2500; // some need a moment to begin
const silentAfter = 5000;
const clippingWithin = 2000;
const clippingBars = 6;

export type Warning = "" | "muted" | "silent" | "clipping";

export class Levels {
  /** The loudest of each 50 ms, from 0 to 1. */
  readonly bars: number[] = [];
  /** What the system says of the microphone, beside what is heard of it. */
  muted = false;

  /** Takes the loudest since the last call; ms is how much is recorded by now. */
  feed(peak: number, ms: number) {
    const at = Math.max(0, Math.ceil(ms / barMS) - 1);
    const from = Math.min(this.bars.length, at);
    for (let i = from; i <= at; i++) this.bars[i] = Math.max(this.bars[i] ?? 0, peak);
  }

  get warning(): Warning {
    if (this.muted || this.allBelow(zero, mutedAfter)) return "muted";
    if (this.allBelow(voice / 2, silentAfter)) return "silent";
    const loud = this.bars.slice(-clippingWithin / barMS).filter((bar) => bar >= clipped).length;
    return loud >= clippingBars ? "clipping" : "";
  }

  /** Whether somebody spoke, as it seems, between two moments. */
  voiced(from: number, to: number): boolean {
    return voiced(this.bars, from, to);
  }

  private allBelow(level: number, ms: number): boolean {
    const last = this.bars.slice(-ms / barMS);
    return last.length >= ms / barMS && last.every((bar) => bar < level);
  }
}

/** One loud bar is a click; two are a voice. */
export function voiced(bars: readonly number[], from: number, to: number): boolean {
  return bars.slice(Math.floor(from / barMS), Math.ceil(to / barMS)).filter((bar) => bar >= voice).length > 1;
}
