import { describe, expect, it } from "vitest";

import { addressOf, filtersOf, isWorthAsking, noFilters, searchQuery } from "./filters";
import { momentAddress, momentOf, quotation } from "./quote";
import { cut, pieces } from "./snippet";

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
  it("become the API's words, however they came", () => {
    const now = new Date("2026-03-10T00:00:00Z");
    expect(searchQuery({ ...noFilters, q: " harbour ", within: "day" }, now)).toEqual({ q: "harbour", sort: "relevance", after: "2026-03-09T00:00:00.000Z" });
    expect(searchQuery({ ...noFilters, q: "xy", from: "u" }, now, "next")).toEqual({ q: "xy", sort: "relevance", from: "u", cursor: "next" });
    expect(searchQuery({ ...noFilters, q: " -", from: "u" }, now)).toEqual({ sort: "relevance", from: "u" });
  });
  it.each([
    ["", false], ["a", false], [' "a" ', false], ["ab", true], ["日本", true], ["-*", false], ["++", false], ["🎉🎉", false],
    ["-harbour", false], ['-"harbour lights"', false], ["-harbour li", true], ['"half open', true], ["AND", true], ["a -b c", true], ["well-known", true], ["שלום", true],
  ])("know whether %j is enough to ask", (q, enough) => {
    expect(isWorthAsking({ ...noFilters, q })).toBe(enough);
    expect(isWorthAsking({ ...noFilters, q, from: "u" })).toBe(true); // a filter alone lists
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

describe("what has no room", () => {
  it.each([
    ["short", 5, "short"],
    ["one two three", 12, "one two…"],
    ["one two three", 7, "one two…"],
    ["Stop. Go on", 7, "Stop. …"],
    ["unbelievably", 6, "unbeli…"],
    ["cafe\u0301s and more", 4, "caf…"],
    ["👍🏽👍🏽👍🏽", 5, "👍🏽…"],
    ["👨‍👩‍👧👨‍👩‍👧", 9, "👨‍👩‍👧…"],
    ["👨‍👩‍👧👨‍👩‍👧", 2, "👨‍👩‍👧…"],
    ["🇩🇪🇫🇷", 6, "🇩🇪…"],
    ["שלום עולם", 6, "שלום…"],
  ])("is cut from %s at %i", (text, limit, want) => expect(cut(text, limit)).toBe(want));
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
