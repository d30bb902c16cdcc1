import { beforeEach, expect, test, vi } from "vitest";

import { forget, isPerson, lastPlace, rememberPlace } from "./known";
import { forgetPlaces, keepPlace, placeIn } from "./places";

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
});

test("places in messages and in workspaces are kept beside each other", () => {
  rememberPlace("ada", "/c/tunnel");
  rememberPlace("ada-of-the-choir");
  keepPlace("a-message", 4200);
  rememberPlace("ada", "/c/train");
  expect(placeIn("a-message")).toBe(4200);
  expect(isPerson("ada", "ada-of-the-choir")).toBe(true);
  expect(lastPlace("ada")).toBe("/c/train");
  forgetPlaces(); // as switching does
  expect(isPerson("ada", "ada-of-the-choir")).toBe(true);
  expect(placeIn("a-message")).toBe(0);
  forget(); // as signing out does
  expect(isPerson("ada", "ada-of-the-choir")).toBe(false);
});
