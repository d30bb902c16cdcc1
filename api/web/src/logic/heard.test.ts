import { expect, test } from "vitest";

import { batchOf, isPlayedAll, joined, without, withPlayed } from "./heard";

test("stretches are joined where they touch", () => {
  expect(joined([[10, 20], [0, 5], [20, 30], [4, 7], [40, 40], [50, 45]])).toEqual([[0, 7], [10, 30]]);
  expect(joined([])).toEqual([]);
});

test("what is played later is added, and where one is counts", () => {
  const all = withPlayed({ a: { ranges: [[0, 10]], at: 10 } }, { a: { ranges: [[5, 12]], at: 3 }, b: { ranges: [[1, 2]], at: 2 } });
  expect(all).toEqual({ a: { ranges: [[0, 12]], at: 3 }, b: { ranges: [[1, 2]], at: 2 } });
});

test("what was played while it was sent is sent again", () => {
  const sent = { a: { ranges: [[0, 10]] as const, at: 10 }, b: { ranges: [[0, 1]] as const, at: 1 } };
  const all = withPlayed(sent, { b: { ranges: [[1, 2]], at: 2 } });
  expect(without(all, sent)).toEqual({ b: { ranges: [[0, 2]], at: 2 } });
});

test("calls are bounded", () => {
  const all = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [String(i), { ranges: [[0, 1]] as const, at: 1 }]));
  expect(Object.keys(batchOf(all))).toHaveLength(100);
  const long = { ranges: Array.from({ length: 200 }, (_, i) => [999_990_000 + i, 999_990_001 + i] as const), at: 999_999_999 };
  const large = batchOf(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`0197a3c2-7f3a-7d05-b1c6-5e77889900${i + 10}`, long])));
  expect(Object.keys(large)).toHaveLength(5);
  expect(JSON.stringify(Object.entries(large).map(([id, { ranges, at }]) => ({ id, at_ms: at, ranges: ranges.map(([from, to]) => ({ from_ms: from, to_ms: to })) }))).length).toBeLessThan(60_000);
  expect(joined(Array.from({ length: 300 }, (_, i) => [i * 10, i * 10 + 1] as const))).toHaveLength(200);
});

test.each([[{}, true], [{ a: { ranges: [[0, 1]], at: 1 } }, true], [null, false], [{ a: null }, false], [{ a: { ranges: [[0]], at: 1 } }, false], [{ a: { ranges: [[0, -1]], at: 1 } }, false], [{ a: { ranges: [[0, 1]], at: "x" } }, false]])("%j is taken: %s", (value, taken) => {
  expect(isPlayedAll(value)).toBe(taken);
});
