import { beforeEach, expect, test } from "vitest";

import { RecordingClock } from "./recordingclock";

let sound = 0;
let clock: RecordingClock;
beforeEach(() => {
  sound = 1000; // it ran before
  clock = new RecordingClock(() => sound);
});

test("it runs with the sound, and stands with it", () => {
  clock.run();
  sound += 700;
  expect(clock.ms).toBe(700);
  expect(clock.ms).toBe(700); // the system gives none
  clock.stand();
  sound += 5000;
  expect(clock.ms).toBe(700);
  clock.run();
  clock.run();
  sound += 300;
  expect(clock.ms).toBe(1000);
});

test("it shows no more than the browser has given, but for a while", () => {
  clock.run();
  sound += 2000;
  expect(clock.shown).toBe(2000);
  sound += 2000;
  expect(clock.shown).toBe(2500);
  expect(clock.stuck).toBe(false);
  sound += 1000;
  expect(clock.stuck).toBe(true);
  clock.give(4900);
  expect(clock.stuck).toBe(false);
  expect(clock.shown).toBe(5000);
});

test("it stands at what was given, once that is all", () => {
  clock.run();
  sound += 2000;
  const all = clock.stand();
  clock.give(1960);
  expect(clock.ms).toBe(2000);
  all();
  expect(clock.ms).toBe(1960);
  clock.give(1980); // the last of it came late
  expect(clock.ms).toBe(1980);
});

test("that all was given says nothing of what comes after", () => {
  clock.run();
  sound += 2000;
  const all = clock.stand();
  clock.run();
  sound += 1000;
  clock.give(1000);
  all();
  expect(clock.ms).toBe(3000);
});
