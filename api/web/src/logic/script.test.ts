import { describe, expect, it } from "vitest";

import type { Gap, Segment } from "../api/client";
import { gapAt, gapTimes, lineOf, paragraphOf, script, textOf, wordAt } from "./script";

const segment = (start: number, text: string, confidence?: number): Segment => ({
  start_ms: start,
  end_ms: start + 1000,
  text,
  words: text.split(" ").map((word, i) => ({ text: word, start_ms: start + i * 100, end_ms: start + i * 100 + 80, ...(confidence !== undefined && { confidence }) })),
});

/** What stands in each paragraph, with its channel where that changes. */
const shown = (...[segments, gaps]: Parameters<typeof script>) => {
  const { words, paragraphs } = script(segments, gaps);
  return paragraphs.map((p) => (p.gap ? `[${gapTimes(p.gap).join(" ")}]` : (p.channel ? `${p.channel}: ` : "") + textOf(words, p.from, p.to - 1)));
};

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

  it("breaks between sentences alone, where there are any", () => {
    const said = [segment(0, "We walked to"), segment(5000, "the harbour. There it"), segment(9000, "rained."), segment(20_000, "So we left."), segment(21_100, "Early.")];
    expect(shown(said)).toEqual(["We walked to the harbour. There it rained.", "So we left. Early."]);
    const long = Array.from({ length: 30 }, (_, i) => segment(i * 1000, i % 2 ? "ship was number 3. Then Dr. Lee came." : "We saw that the next"));
    const paragraphs = shown(long);
    expect(paragraphs.length).toBeGreaterThan(2);
    expect(paragraphs.every((text) => /^We saw.*came\.$/.test(text))).toBe(true);
  });

  it("breaks within an utterance of many sentences, and within a sentence that never ends", () => {
    const one = shown([segment(0, "This is the harbour and here we are. ".repeat(30).trim())]);
    expect(one).toHaveLength(5);
    expect(one.every((text) => text.endsWith("are."))).toBe(true);
    const endless = script([segment(0, "Yes. No."), ...Array.from({ length: 60 }, (_, i) => segment(2000 + i * 1000, "and then and then and")), segment(99_000, "so. Yes.")]);
    expect(Math.max(...endless.paragraphs.map((p) => p.to - p.from))).toBeLessThan(140);
    expect(Math.max(...script([segment(0, "word ".repeat(5000).trim())]).paragraphs.map((p) => p.to - p.from))).toBe(300);
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

const gap = (start_ms: number, end_ms: number, reason: Gap["reason"] = "not_understood"): Gap => ({ start_ms, end_ms, reason });

describe("gaps", () => {
  it("stand in their place in time: before, between, within and after what was said", () => {
    const said = [segment(5000, "One two three four."), segment(6500, "Five.")];
    const gaps = [gap(0, 4800), gap(5150, 5190), gap(6200, 6400), gap(9000, 20_000, "not_decoded")];
    expect(shown(said, gaps)).toEqual(["[0:00 0:05]", "One two", "[0:05 0:06]", "three four.", "[0:06 0:07]", "Five.", "[0:09 0:20]"]);
  });

  it("are all there is when nothing was understood", () => {
    const laid = script([], [gap(3100, 11_200), gap(20_000, 60_000, "not_decoded")]);
    expect(laid).toMatchObject({ words: [], gaps: [0, 1], paragraphs: [{ from: 0, to: 0, start: 3100 }, { from: 0, to: 0, start: 20_000 }] });
  });

  it("leave each word to its own paragraph", () => {
    const { words, paragraphs } = script([segment(1000, "a b"), segment(9000, "c d")], [gap(0, 900), gap(2500, 8000), gap(12_000, 13_000)]);
    expect(words.map((_, i) => paragraphOf(paragraphs, i))).toEqual([1, 1, 3, 3]);
  });

  it("are known by the time, unless somebody is understood in them", () => {
    const laid = script([segment(1000, "a b"), segment(5000, "c")], [gap(0, 900), gap(2500, 8000)]);
    expect([0, 899, 900, 1010, 2400, 2500, 5040, 5200, 7999, 8000].map((ms) => gapAt(laid, ms))).toEqual([0, 0, -1, -1, -1, 2, -1, 2, 2, -1]);
    expect(gapAt(script([]), 5)).toBe(-1);
  });

  it("are marked in what is quoted and previewed", () => {
    const said = [segment(1000, "a b"), segment(9000, "c d")];
    const gaps = [gap(0, 900), gap(2500, 8000), gap(12_000, 13_000)];
    expect(textOf(script(said, gaps).words, 1, 2)).toBe("b […] c");
    expect(lineOf({ text: "a b c d", segments: said, gaps })).toBe("[…] a b […] c d […]");
    expect(lineOf({ text: "a b c d", segments: said, gaps: [] })).toBe("a b c d");
    expect(lineOf({ text: "", segments: [], gaps })).toBe("");
  });

  it("last at least a second for people", () => {
    expect(gapTimes(gap(3100, 11_200))).toEqual(["0:03", "0:11"]);
    expect(gapTimes(gap(3100, 3400))).toEqual(["0:03", "0:04"]);
    expect(gapTimes(gap(3_599_900, 3_700_000))).toEqual(["59:59", "1:01:40"]);
  });
});

describe("channels", () => {
  const on = (channel: 1 | 2, s: Segment): Segment => ({ ...s, channel });
  const call = [on(1, segment(0, "a b c d")), on(2, segment(150, "x y")), on(2, segment(1200, "z")), on(1, segment(2500, "e"))];

  it("are named where they change, and after a gap", () => {
    expect(shown(call)).toEqual(["1: a b c d", "2: x y z", "1: e"]);
    expect(shown(call, [gap(1300, 2400)])).toEqual(["1: a b c d", "2: x y z", "[0:01 0:02]", "1: e"]);
  });

  it("go on speaking while the other is not understood", () => expect(shown(call, [gap(50, 250)])).toEqual(["1: a b c d", "[0:00 0:01]", "2: x y z", "1: e"]));

  it("have the word that began last when both speak", () => {
    const laid = script(call);
    const at = (ms: number) => laid.words[wordAt(laid, ms)]?.text;
    expect([0, 100, 150, 200, 260, 310, 1250, 3000].map(at)).toEqual(["a", "b", "x", "c", "y", "d", "z", "e"]);
  });
});

describe("wordAt", () => {
  const laid = script(Array.from({ length: 3400 }, (_, i) => segment(i * 2000 + 500, "a b c d e f")));
  const { words, paragraphs } = laid;

  it("finds the word that is said, and the last one in a pause", () => {
    expect(wordAt(laid, 0)).toBe(-1);
    expect(wordAt(laid, 500)).toBe(0);
    expect(wordAt(laid, 699)).toBe(1);
    expect(wordAt(laid, 2400)).toBe(5);
    expect(wordAt(laid, 1e12)).toBe(words.length - 1);
    expect(wordAt(script([]), 5)).toBe(-1);
  });

  it("agrees with looking at every word", () => {
    for (let ms = 0; ms < 7_000_000; ms += 34_567) {
      expect(wordAt(laid, ms)).toBe(words.findLastIndex((word) => word.start <= ms));
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
