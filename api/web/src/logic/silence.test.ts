import { describe, expect, it } from "vitest";

import { endOfPause, pausesOf, silencesOf } from "./silence";

const word = (start: number, end: number) => ({ start, end });

describe("pauses", () => {
  it("lie between words that are far apart, with a breath left at either end", () => {
    expect(pausesOf([word(0, 500), word(700, 1000), word(4000, 4500)], 5000)).toEqual([{ from: 1200, to: 3800 }]);
  });
  it("lie before the first word and behind the last", () => {
    expect(pausesOf([word(3000, 3500)], 6000)).toEqual([{ from: 0, to: 2800 }, { from: 3700, to: 6000 }]);
  });
  it("are not where somebody speaks whom nobody understood, nor where another channel speaks", () => {
    expect(pausesOf([word(0, 500), word(9000, 9500), word(600, 8800)], 9500)).toEqual([]);
  });
  it("are nowhere when there are no words", () => expect(pausesOf([], 9000)).toEqual([]));
});

describe("silences of a waveform", () => {
  it("are where it is quiet for long", () => {
    const peaks = [...Array<number>(40).fill(0.8), ...Array<number>(20).fill(0.01), ...Array<number>(40).fill(0.6)];
    expect(silencesOf(peaks, 10_000)).toEqual([{ from: 4200, to: 5800 }]);
  });
  it("are not the whole of a silent clip", () => expect(silencesOf(Array<number>(100).fill(0), 10_000)).toEqual([]));
});

describe("endOfPause", () => {
  const spans = [{ from: 1000, to: 3000 }, { from: 8000, to: 9000 }];
  it.each([
    [0, undefined],
    [1000, 3000],
    [2900, 3000],
    [2980, undefined],
    [5000, undefined],
    [8500, 9000],
    [9500, undefined],
  ])("at %i ms goes to %s", (ms, to) => expect(endOfPause(spans, ms)).toBe(to));
  it("goes nowhere without pauses", () => expect(endOfPause([], 100)).toBeUndefined());
});
