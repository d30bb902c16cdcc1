/*
 * A transcript laid out to be read along: all words in one row, so that the one
 * being said is found by halving, in paragraphs that break between sentences
 * where people pause. What was not understood is a paragraph of its own, in its
 * place in time.
 */
import type { Gap, Segment, Transcript } from "../api/client";
import { sentenceEnds } from "./sentence";
import { clock } from "./time";

export interface Word {
  text: string;
  gap: string; // what stands between it and the word before
  start: number; // ms
  end: number; // ms
  doubted: boolean;
}

export interface Paragraph {
  from: number; // index of its first word
  to: number; // index behind its last word: the same for a gap
  start: number; // ms
  channel?: number; // that speaks from here on, where the channels were heard apart
  gap?: Gap;
}

export interface Script {
  words: Word[];
  paragraphs: Paragraph[];
  gaps: number[]; // indices of the paragraphs that are gaps
  byTime?: number[]; // indices of the words in order of their starts, where channels speak at once
}

/** Below this the recogniser is more likely wrong than right about a word. */
const doubt = 0.5;
/** A pause after which a new paragraph begins, in ms. */
const pause = 2000;
/* In words: a paragraph that is long enough, one that is as long as any may be, and a sentence that hardly is one. */
const longParagraph = 50;
const longestParagraph = 300;
const longSentence = 120;
/** Stands in a text where words are missing. */
const missing = "[…]";

export function script(segments: readonly Segment[], gaps: readonly Gap[] = []): Script {
  const laid: Script = { words: [], paragraphs: [], gaps: [] };
  const { words, paragraphs } = laid;
  const bySegment = segments.map(wordsOf);
  const mayBreak = breaks(bySegment);
  let lastEnd = 0;
  let channel = 0; // of the open paragraph
  let next = 0; // gap
  let broken = false; // a gap stands between the words so far and the next
  const addGap = (gap: Gap) => {
    laid.gaps.push(paragraphs.length);
    paragraphs.push({ from: words.length, to: words.length, start: gap.start_ms, gap });
    channel = 0;
    broken = true;
  };
  for (const [n, segment] of segments.entries()) {
    const own = segment.channel ?? 0;
    bySegment[n]!.forEach((word, i, all) => {
      // Words that one channel says during a gap stay together: what is missing is of the other.
      const between = (gap: Gap) => gap.start_ms > all[i - 1]!.start && gap.end_ms <= word.start;
      const before = (gap: Gap) => gap.start_ms <= word.start && (own === 0 || i === 0 || between(gap));
      while (next < gaps.length && before(gaps[next]!)) addGap(gaps[next++]!);
      const open = paragraphs.at(-1);
      const size = open ? open.to - open.from : 0;
      const silence = i === 0 ? segment.start_ms - lastEnd : word.start - all[i - 1]!.end;
      const ends = size >= longestParagraph || (mayBreak[words.length] && (silence >= pause || size >= longParagraph));
      if (!open || open.gap || ends || own !== channel) {
        paragraphs.push({ from: words.length, to: words.length, start: word.start, ...(own && own !== channel && { channel: own }) });
        channel = own;
      }
      words.push(broken && words.length ? { ...word, gap: ` ${missing} ` } : word);
      broken = false;
      paragraphs.at(-1)!.to = words.length;
    });
    lastEnd = Math.max(lastEnd, segment.end_ms);
  }
  gaps.slice(next).forEach(addGap);
  if (segments.some((segment) => segment.channel)) laid.byTime = words.map((_, i) => i).sort((a, b) => words[a]!.start - words[b]!.start);
  return laid;
}

/**
 * For each word, whether a paragraph may begin with it: where a sentence has
 * ended, or, where none ends for long or at all, where an utterance begins.
 */
function breaks(bySegment: readonly Word[][]): boolean[] {
  const ends = sentenceEnds(bySegment.flat());
  const marked = ends.some(Boolean);
  const may: boolean[] = [];
  let sentence = 0; // words of it so far
  for (const words of bySegment) {
    for (let i = 0; i < words.length; i++) {
      if (ends[may.length - 1]) sentence = 0;
      may.push(sentence === 0 || (i === 0 && (!marked || sentence >= longSentence)));
      sentence++;
    }
  }
  return may;
}

/** The words of a segment with what its text has between them: not every script uses spaces. */
function wordsOf(segment: Segment): Word[] {
  if (!segment.words?.length) {
    const text = segment.text.trim();
    return text ? [{ text, gap: " ", start: segment.start_ms, end: segment.end_ms, doubted: false }] : [];
  }
  let at = 0;
  return segment.words.map((word, i) => {
    const found = segment.text.indexOf(word.text, at);
    const between = found < 0 ? " " : segment.text.slice(at, found);
    if (found >= 0) at = found + word.text.length;
    return {
      text: word.text,
      gap: i === 0 ? " " : between,
      start: word.start_ms,
      end: word.end_ms,
      doubted: word.confidence !== undefined && word.confidence < doubt,
    };
  });
}

/** Index of the word that is being said, or was said last; -1 before the first. */
export function wordAt({ words, byTime }: Pick<Script, "words" | "byTime">, ms: number): number {
  if (!byTime) return lastAtOrBefore(words, ms, (word) => word.start);
  return byTime[lastAtOrBefore(byTime, ms, (index) => words[index]!.start)] ?? -1;
}

/** Index of the paragraph that is the gap at this time, unless a word is said in it; -1 for none. */
export function gapAt(script: Script, ms: number): number {
  const index = script.gaps[lastAtOrBefore(script.gaps, ms, (paragraph) => script.paragraphs[paragraph]!.start)];
  if (index === undefined || script.paragraphs[index]!.gap!.end_ms <= ms) return -1;
  const word = script.words[wordAt(script, ms)];
  return word && word.end > ms ? -1 : index;
}

/** From and to when a gap lasts, for people to read in full seconds: never "0:03 to 0:03". */
export function gapTimes({ start_ms, end_ms }: Gap): [from: string, to: string] {
  const from = Math.floor(start_ms / 1000);
  return [clock(from * 1000), clock(Math.max(Math.round(end_ms / 1000), from + 1) * 1000)];
}

/** Index of the paragraph that a word is in. */
export function paragraphOf(paragraphs: readonly Paragraph[], word: number): number {
  return lastAtOrBefore(paragraphs, word, (paragraph) => paragraph.from);
}

function lastAtOrBefore<T>(items: readonly T[], value: number, of: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(items[middle]!) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What was said from one word to another, both included, with marks where words are missing. */
export function textOf(words: readonly Word[], from: number, to: number): string {
  return words.slice(from, to + 1).map((word, i) => (i ? word.gap : "") + word.text).join("");
}

/** All that was said, in one line, with marks where words are missing. */
export function lineOf({ text, segments, gaps }: Pick<Transcript, "text" | "segments" | "gaps">): string {
  if (!gaps.length || !text) return text;
  const { words, paragraphs } = script(segments, gaps);
  const at = (paragraph: Paragraph | undefined) => (paragraph?.gap ? [missing] : []);
  return [...at(paragraphs[0]), textOf(words, 0, words.length - 1), ...at(paragraphs.at(-1))].join(" ");
}
