import { expect, test } from "vitest";

import { type Live, liveIsWhole, stalled } from "./decide";

const live: Live = { session: "/v1/whip/x", message: "m", lead: 300, whole: true };

test.each([
  ["all of it is there", live, 60_000, 59_700, true],
  ["the last packets were on their way", live, 60_000, 59_000, true],
  ["something is missing", live, 60_000, 57_000, false],
  ["it was torn off, or somebody spoke before it connected", { ...live, whole: false }, 60_000, 60_000, false],
  ["it is gone", live, 60_000, undefined, false],
] as const)("%s", (_, recording, copied, kept, whole) => {
  expect(liveIsWhole(recording, copied, kept)).toBe(whole);
});

test("a server that keeps nothing new while somebody speaks has gone", () => {
  expect(stalled(9000, 5000, true)).toBe(false);
  expect(stalled(10_001, 5000, true)).toBe(true);
  expect(stalled(10_001, 5000, false)).toBe(false);
});
