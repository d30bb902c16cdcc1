import { expect, test } from "vitest";

import { barsLeft, type Cut, cutFrom, lastBars, lastBit, left, shape, source, target } from "./cuts";
import { barMS } from "./levels";

const cuts: Cut[] = [{ from: 1000, to: 2000 }, { from: 5000, to: 8000 }];

test("what is left, and where its places are", () => {
  expect(left(10_000, cuts)).toBe(6000);
  expect(left(7000, cuts)).toBe(4000); // the last cut is not over
  for (const [place, at] of [[0, 0], [999, 999], [1000, 2000], [3999, 4999], [4000, 8000], [6000, 10_000]] as const) {
    expect(source(place, cuts)).toBe(at);
    expect(target(at, cuts)).toBe(place);
  }
  expect(target(6000, cuts)).toBe(4000); // in a cut: where it was cut
});

test("cuts that touch are one", () => {
  expect(cutFrom(4000, 6000, [])).toEqual([{ from: 4000, to: 6000 }]);
  // Cut again before anything else was said.
  expect(cutFrom(3000, 6000, [{ from: 4000, to: 6000 }])).toEqual([{ from: 3000, to: 6000 }]);
  // Something was said in between.
  expect(cutFrom(7000, 9000, [{ from: 4000, to: 6000 }])).toEqual([{ from: 4000, to: 6000 }, { from: 7000, to: 9000 }]);
  // All that was said since the last cut.
  expect(cutFrom(6000, 9000, [{ from: 4000, to: 6000 }])).toEqual([{ from: 4000, to: 9000 }]);
  expect(cutFrom(5000, 9000, [{ from: 4000, to: 6000 }])).toEqual([{ from: 4000, to: 9000 }]);
  expect(cutFrom(-1, 9000, cuts)).toEqual([{ from: 0, to: 9000 }]);
  expect(cutFrom(9000, 9000, [])).toEqual([]);
});

test("bars of what is left", () => {
  const bars = Array.from({ length: 200 }, (_, i) => i);
  const rest = barsLeft(bars, cuts);
  expect(rest).toHaveLength(120);
  expect(rest[20]).toBe(40);
  expect(rest[80]).toBe(160);
  for (const count of [1, 39, 45, 110, 500]) expect(lastBars(bars, cuts, count)).toEqual(rest.slice(-count).reverse());
  expect(lastBars(bars, [{ from: 9000, to: 10_000 }], 1)).toEqual([179]); // nothing said since the cut
});

test("the shape of hours in a few peaks", () => {
  const hours = Array.from({ length: 300_000 }, (_, i) => (i === 299_999 ? 1 : 0.1));
  const peaks = shape(hours, 400);
  expect(peaks).toHaveLength(400);
  expect(peaks.at(-1)).toBe(1);
  expect(shape([0.1, 0.2], 400)).toEqual([0.1, 0.2]);
  expect(shape([], 400)).toEqual([]);
});

test.each([
  ["a breath before the last sentence", [[4, 0.3], [0.6, 0], [2, 0.3]], 2175],
  ["silence at the end goes with it", [[4, 0.3], [0.6, 0], [2, 0.3], [1, 0]], 3175],
  ["a pause within a word does not count", [[2, 0.3], [0.5, 0], [2, 0.3], [0.1, 0], [2, 0.3]], 4275],
  ["no pause at all: five seconds", [[30, 0.3]], 5000],
  ["no pause in what is short: all", [[3, 0.3]], 3000],
  ["nothing", [], 0],
] as const)("the last bit: %s", (_, stretches, ms) => {
  const bars = stretches.flatMap(([seconds, peak]) => Array<number>(Math.round((seconds * 1000) / barMS)).fill(peak));
  expect(Math.abs(lastBit(bars) - ms)).toBeLessThanOrEqual(100);
});
