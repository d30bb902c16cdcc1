import { expect, it } from "vitest";

import { type Output, unplugged } from "./outputs";

const device = (deviceId: string, groupId = deviceId): Output => ({ deviceId, groupId });
const speakers = device("speakers");
const screen = device("screen");
const headphones = device("headphones");

it("tells headphones that played and are gone", () => {
  expect(unplugged([device("default", "headphones"), speakers, headphones], [device("default", "speakers"), speakers])).toBe(true);
  expect(unplugged([speakers, headphones], [speakers])).toBe(true); // no default is named
});

it("lets others come and go", () => {
  expect(unplugged([device("default", "speakers"), speakers, screen], [device("default", "speakers"), speakers])).toBe(false);
  expect(unplugged([device("default", "speakers"), speakers], [device("default", "headphones"), speakers, headphones])).toBe(false);
  // Another became the default, and that which played is still there.
  expect(unplugged([device("default", "headphones"), speakers, headphones], [device("default", "speakers"), speakers, headphones])).toBe(false);
});

it("knows nothing of devices without names", () => {
  expect(unplugged([device("")], [])).toBe(false);
});
