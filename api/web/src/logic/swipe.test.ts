import { expect, it } from "vitest";

import { direction, enough } from "./swipe";

it("tells a swipe from a press", () => {
  expect(direction(3, 4)).toBeUndefined();
  expect(direction(2, 30)).toBe("down");
  expect(direction(-5, -30)).toBe("up");
  expect(direction(-30, 29)).toBe("aside");
});

it("takes what goes far, or quickly", () => {
  expect(enough(100, 3000)).toBe(true);
  expect(enough(40, 60)).toBe(true);
  expect(enough(40, 800)).toBe(false);
  expect(enough(12, 0)).toBe(false);
});
