import { expect, test } from "vitest";

import { forgetKey, recall, remember } from "./remember";

/** Storage of a browser, as far as it is used. */
function storage(full = false): Storage {
  const kept = new Map<string, string>();
  return {
    length: 0,
    clear: () => kept.clear(),
    key: () => null,
    getItem: (key) => kept.get(key) ?? null,
    removeItem: (key) => void kept.delete(key),
    setItem: (key, value) => {
      if (full) throw new DOMException("full", "QuotaExceededError");
      kept.set(key, value);
    },
  };
}

const isPoint = ({ x }: { x?: unknown }) => typeof x === "number";

test("what was remembered is recalled until it is forgotten", () => {
  const where = storage();
  expect(remember("a", { x: 1 }, () => where)).toBe(true);
  expect(recall<{ x: number }>("a", isPoint, () => where)).toEqual({ x: 1 });
  forgetKey("a", () => where);
  expect(recall("a", () => true, () => where)).toBeUndefined();
});

test("what is not of its form is as if there were nothing", () => {
  const where = storage();
  for (const text of ["", "{", "null", "5", '"x"', "[]", "[1]", '{"x":"1"}', "{}"]) {
    where.setItem("a", text);
    expect(recall("a", isPoint, () => where), text).toBeUndefined();
  }
});

test("a storage that is full or forbidden is no error", () => {
  const forbidden = () => {
    throw new DOMException("no", "SecurityError");
  };
  expect(remember("a", {}, () => storage(true))).toBe(false);
  expect(remember("a", {}, forbidden)).toBe(false);
  expect(recall("a", () => true, forbidden)).toBeUndefined();
  forgetKey("a", forbidden);
});
