import { expect, test } from "vitest";

import { barMS, Levels } from "./levels";

/** Feeds so many seconds of one peak, as the meter is read. */
function feed(levels: Levels, from: number, seconds: number, peak: number): number {
  const to = from + seconds * 1000;
  for (let ms = from + barMS; ms <= to; ms += barMS) levels.feed(peak, ms);
  return to;
}

test("there is a bar for each 50 ms, however rarely the meter is read", () => {
  const levels = new Levels();
  levels.feed(0.5, 30);
  levels.feed(0.2, 50);
  levels.feed(0.7, 1000); // a page in the background looks once a second
  expect(levels.bars).toHaveLength(20);
  expect(levels.bars.slice(0, 2)).toEqual([0.5, 0.7]);
  expect(levels.bars[19]).toBe(0.7);
});

test.each([
  ["a voice", [[10, 0.2]], ""],
  ["nothing at all", [[3, 0]], "muted"],
  ["nothing at all, for a moment", [[2, 0]], ""],
  ["a voice, and then a muted microphone", [[3, 0.2], [2.6, 0]], "muted"],
  ["a very quiet room", [[6, 0.002]], "silent"],
  ["a pause between sentences", [[3, 0.2], [3, 0.002]], ""],
  ["one clipped moment", [[3, 0.2], [0.05, 1]], ""],
  ["shouting", [[3, 0.2], [0.3, 1]], "clipping"],
  ["shouting, a while ago", [[1, 1], [3, 0.2]], ""],
] as const)("%s", (_, stretches, warning) => {
  const levels = new Levels();
  let at = 0;
  for (const [seconds, peak] of stretches) at = feed(levels, at, seconds, peak);
  expect(levels.warning).toBe(warning);
});

test("a track that says it is muted is", () => {
  const levels = new Levels();
  levels.muted = true;
  expect(levels.warning).toBe("muted");
});

test("a voice is more than a click", () => {
  const levels = new Levels();
  feed(levels, 0, 1, 0.001);
  levels.feed(0.4, 1050);
  expect(levels.voiced(0, 1050)).toBe(false);
  levels.feed(0.4, 1100);
  expect(levels.voiced(0, 1100)).toBe(true);
  expect(levels.voiced(0, 1000)).toBe(false);
});
