import { describe, expect, it } from "vitest";

import { clock, dayName, daysBetween, shortTime, spokenLength } from "./time";

describe("clock", () => {
  it.each([
    [0, "0:00"],
    [-5, "0:00"],
    [7_999, "0:07"],
    [65_000, "1:05"],
    [3_723_000, "1:02:03"],
    [36_000_000, "10:00:00"],
  ])("prints %i ms as %s", (ms, text) => expect(clock(ms)).toBe(text));
});

describe("spokenLength", () => {
  it("leaves out what is zero", () => {
    expect(spokenLength(65_000, "en")).toBe("1 minute 5 seconds");
    expect(spokenLength(3_600_000, "en")).toBe("1 hour");
    expect(spokenLength(0, "en")).toBe("0 seconds");
    expect(spokenLength(62_000, "de")).toBe("1 Minute 2 Sekunden");
  });
});

describe("days", () => {
  const now = new Date(2026, 2, 10, 0, 30);
  it("counts midnights, not hours", () => {
    expect(daysBetween(new Date(2026, 2, 9, 23, 59), now)).toBe(1);
    expect(daysBetween(new Date(2026, 2, 10, 23, 59), now)).toBe(0);
    expect(daysBetween(new Date(2025, 11, 31), new Date(2026, 0, 1))).toBe(1);
  });
  it("names the near and dates the far", () => {
    expect(dayName(new Date(2026, 2, 10), now, "en")).toBe("Today");
    expect(dayName(new Date(2026, 2, 9, 23), now, "de")).toBe("Gestern");
    expect(dayName(new Date(2026, 2, 6), now, "en")).toBe("Friday");
    expect(dayName(new Date(2026, 1, 1), now, "en-GB")).toBe("1 February");
    expect(dayName(new Date(2024, 1, 1), now, "en-GB")).toBe("1 February 2024");
  });
  it("is short in lists", () => {
    expect(shortTime(new Date(2026, 2, 6), now, "en")).toBe("Fri");
    expect(shortTime(new Date(2026, 0, 6), now, "en-GB")).toBe("6 Jan");
  });
});
