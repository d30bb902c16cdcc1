import { expect, test } from "vitest";

import { gesture, released } from "./hold";

test.each([
  [0, 0, "hold"],
  [20, -40, "hold"],
  [0, -60, "lock"],
  [-30, -80, "lock"],
  [-100, -10, "discard"],
  [100, 0, "discard"], // for those who hold it with the other hand
  [-100, -60, "discard"],
  [0, 200, "hold"],
] as const)("moved by %i, %i it would %s", (dx, dy, is) => {
  expect(gesture(dx, dy)).toBe(is);
});

test.each([
  ["hold", 200, 150, "stay"], // pressed, not held
  ["hold", 3000, 2900, "send"],
  ["hold", 900, 400, "too-short"],
  ["lock", 3000, 2900, "stay"],
  ["discard", 3000, 2900, "discard"],
] as const)("let go at %s after %i ms with %i ms: %s", (at, heldMS, recordedMS, does) => {
  expect(released(at, heldMS, recordedMS)).toBe(does);
});
