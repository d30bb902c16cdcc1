import { describe, expect, it } from "vitest";

import { addressOf, filtersOf, isWorthAsking, noFilters, searchQuery } from "./filters";
import { momentAddress, momentOf, quotation } from "./quote";
import { rows } from "./rows";
import { pieces } from "./snippet";

describe("filters", () => {
  it("come back from the address they were put in", () => {
    const filters = { q: '"my country" & <b>', conversation: "c", from: "u", within: "week", sort: "newest" } as const;
    expect(filtersOf(new URL(addressOf(filters), "http://hark").searchParams)).toEqual(filters);
    expect(addressOf(noFilters)).toBe("/search");
    expect(addressOf({ ...noFilters, q: "a b" })).toBe("/search?q=a+b");
  });
  it("take no nonsense from an address", () => {
    expect(filtersOf(new URLSearchParams("within=ever&sort=worst"))).toEqual(noFilters);
  });
  it("become the API's words", () => {
    const now = new Date("2026-03-10T00:00:00Z");
    expect(searchQuery({ ...noFilters, q: " harbour ", within: "day" }, true, now)).toEqual({ q: "harbour", sort: "relevance", after: "2026-03-09T00:00:00.000Z", typing: true });
    expect(searchQuery({ ...noFilters, q: "x", from: "u" }, false, now, "next")).toEqual({ q: "x", sort: "relevance", from: "u", cursor: "next" });
  });
  it("know when there is enough to ask", () => {
    expect(["", "a", ' "a" ', "ab", "日本", "-*"].map(isWorthAsking)).toEqual([false, false, false, true, true, false]);
  });
});

describe("pieces", () => {
  const found = (text: string, ...marks: [number, number][]) => pieces(text, marks.map(([start, end]) => ({ start, end }))).map((p) => (p.found ? `[${p.text}]` : p.text)).join("|");
  it("cuts by code points", () => {
    expect(found("ask your country", [9, 16])).toBe("ask your |[country]");
    expect(found("🎉🎉 harbour", [3, 10])).toBe("🎉🎉 |[harbour]");
    expect(found("ab", [0, 1], [1, 2])).toBe("[a]|[b]");
  });
  it("leaves out marks that do not fit", () => {
    expect(found("abc", [2, 9], [1, 1], [2, 1])).toBe("abc");
    expect(found("abcd", [1, 3], [2, 4])).toBe("a|[bc]|d");
    expect(pieces("", [])).toEqual([]);
  });
});

describe("moments", () => {
  it("are in the address, in ms", () => {
    expect(momentAddress("https://hark.example", "abc", 1210.4)).toBe("https://hark.example/m/abc?t=1210");
    expect(momentAddress("", "abc")).toBe("/m/abc");
    expect(["t=1210", "t=0", "", "t=-5", "t=1e9", "t=9999999999"].map((q) => momentOf(new URLSearchParams(q)))).toEqual([1210, 0, undefined, undefined, undefined, undefined]);
  });
  it("are quoted with who said it and where", () => {
    expect(quotation("It rained.", "Ada", "https://hark.example/m/abc")).toBe("“It rained.”\n— Ada, https://hark.example/m/abc");
  });
});

describe("rows", () => {
  it("go from old to new, with each day before its messages", () => {
    const times: Record<string, string> = { c: "2026-03-02T12:00:00", b: "2026-03-01T13:00:00", a: "2026-03-01T12:00:00" };
    expect(rows(["c", "b", "a"], (id) => times[id]).map((row) => row.key)).toEqual(["day 2026-3-1", "a", "b", "day 2026-3-2", "c"]);
  });
});
