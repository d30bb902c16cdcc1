import { describe, expect, it } from "vitest";

import type { Segment } from "../api/client";
import { paragraphOf, script, textOf, wordAt } from "./script";

const segment = (start: number, text: string, confidence?: number): Segment => ({
  start_ms: start,
  end_ms: start + 1000,
  text,
  words: text.split(" ").map((word, i) => ({ text: word, start_ms: start + i * 100, end_ms: start + i * 100 + 80, ...(confidence !== undefined && { confidence }) })),
});

describe("script", () => {
  it("breaks paragraphs where people pause", () => {
    const { words, paragraphs } = script([segment(0, "We met."), segment(1100, "It rained."), segment(9000, "Later.")]);
    expect(paragraphs).toEqual([
      { from: 0, to: 4, start: 0 },
      { from: 4, to: 5, start: 9000 },
    ]);
    expect(textOf(words, 0, 3)).toBe("We met. It rained.");
    expect(textOf(words, 1, 1)).toBe("met.");
  });

  it("breaks long speech too", () => {
    const long = Array.from({ length: 40 }, (_, i) => segment(i * 1000, "one two three four five six"));
    expect(script(long).paragraphs.every((p) => p.to - p.from <= 60)).toBe(true);
  });

  it("keeps what stands between words, or does not", () => {
    const chinese: Segment = { start_ms: 0, end_ms: 900, text: "你好吗", words: [..."你好吗"].map((text, i) => ({ text, start_ms: i * 300, end_ms: i * 300 + 300 })) };
    expect(textOf(script([chinese]).words, 0, 2)).toBe("你好吗");
    const odd: Segment = { ...chinese, text: "gone", words: [{ text: "a", start_ms: 0, end_ms: 1 }, { text: "b", start_ms: 2, end_ms: 3 }] };
    expect(textOf(script([odd]).words, 0, 1)).toBe("a b");
  });

  it("takes a segment without words as one, and none for nothing", () => {
    const bare: Segment = { start_ms: 500, end_ms: 900, text: " All at once. ", words: null };
    expect(script([bare]).words).toMatchObject([{ text: "All at once.", start: 500, end: 900, doubted: false }]);
    expect(script([]).words).toEqual([]);
    expect(script([{ ...bare, text: " " }]).paragraphs).toEqual([]);
  });

  it("doubts what the recogniser doubts", () => {
    const doubted = (confidence?: number) => script([segment(0, "word", confidence)]).words[0]!.doubted;
    expect([doubted(0.12), doubted(0.9), doubted(undefined)]).toEqual([true, false, false]);
  });
});

describe("wordAt", () => {
  const { words, paragraphs } = script(Array.from({ length: 3400 }, (_, i) => segment(i * 2000 + 500, "a b c d e f")));

  it("finds the word that is said, and the last one in a pause", () => {
    expect(wordAt(words, 0)).toBe(-1);
    expect(wordAt(words, 500)).toBe(0);
    expect(wordAt(words, 699)).toBe(1);
    expect(wordAt(words, 2400)).toBe(5);
    expect(wordAt(words, 1e12)).toBe(words.length - 1);
    expect(wordAt([], 5)).toBe(-1);
  });

  it("agrees with looking at every word", () => {
    for (let ms = 0; ms < 7_000_000; ms += 34_567) {
      expect(wordAt(words, ms)).toBe(words.findLastIndex((word) => word.start <= ms));
    }
  });

  it("finds its paragraph", () => {
    for (const index of [0, 71, 72, 5000, words.length - 1]) {
      const paragraph = paragraphs[paragraphOf(paragraphs, index)]!;
      expect(index >= paragraph.from && index < paragraph.to).toBe(true);
    }
    expect(paragraphOf(paragraphs, -1)).toBe(-1);
  });
});
