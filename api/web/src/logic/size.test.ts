import { expect, test } from "vitest";

import { sizeOf } from "./size";

test("sizes are read at a glance", () => {
  expect([0, 312, 1000, 40_400, 3_440_000, 999_999, 12_600_000, 5e12].map((bytes) => sizeOf(bytes, "en"))).toEqual([
    "0 bytes", "312 bytes", "1 kB", "40 kB", "3.4 MB", "1,000 kB", "13 MB", "5,000 GB",
  ]);
  expect(sizeOf(3_440_000, "de")).toBe("3,4 MB");
});
