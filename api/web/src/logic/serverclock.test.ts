import { describe, expect, it } from "vitest";

import { ServerClock } from "./serverclock";

const day = 86_400_000;
const truth = Date.parse("2026-03-29T00:59:30.700Z");
const header = (ms: number) => new Date(ms).toUTCString();

describe("ServerClock", () => {
  it("leaves a clock alone that may be right", () => {
    const clock = new ServerClock(() => truth);
    expect(clock.now().getTime()).toBe(truth);
    clock.note(header(truth), truth - 80);
    expect(clock.offset).toBe(0);
  });

  for (const wrong of [-400 * day, -3 * day, -90_000, 90_000, 2 * day]) {
    it(`corrects a clock that is ${wrong / 1000} s off`, () => {
      let at = truth;
      const clock = new ServerClock(() => at + wrong);
      for (let i = 0; i < 40; i++) {
        const asked = at + wrong;
        at += 137;
        clock.note(header(at - 30), asked);
        expect(Math.abs(clock.now().getTime() - at)).toBeLessThan(i ? 1100 : 1200);
      }
      expect(Math.abs(clock.now().getTime() - at)).toBeLessThan(150);
      expect(Math.abs(clock.corrected(new Date(truth + wrong)).getTime() - truth)).toBeLessThan(150);
    });
  }

  it("follows when the device's clock is set", () => {
    let wrong = 3 * day;
    const clock = new ServerClock(() => truth + wrong);
    clock.note(header(truth), truth + wrong - 20);
    wrong = 0;
    clock.note(header(truth), truth - 20);
    expect(clock.offset).toBe(0);
  });

  it("learns nothing from an answer without a date", () => {
    const clock = new ServerClock(() => truth);
    clock.note(null, truth);
    clock.note("yesterday", truth);
    expect(clock.offset).toBe(0);
  });
});
