/*
 * A transcript laid out to be read along: all words in one row, so that the one
 * being said is found by halving, in paragraphs that break where people pause.
 */
import type { Segment } from "../api/client";

export interface Word {
  text: string;
  gap: string; // what stands between it and the word before
  start: number; // ms
  end: number; // ms
  doubted: boolean;
}

export interface Paragraph {
  from: number; // index of its first word
  to: number; // index behind its last word
  start: number; // ms
}

export interface Script {
  words: Word[];
  paragraphs: Paragraph[];
}

/** Below this the recogniser is more likely wrong than right about a word. */
const doubt = 0.5;
/** A pause after which a new paragraph begins, in ms. */
const pause = 2000;
const longParagraph = 50; // words

export function script(segments: readonly Segment[]): Script {
  const words: Word[] = [];
  const paragraphs: Paragraph[] = [];
  let lastEnd = 0;
  for (const segment of segments) {
    const said = wordsOf(segment);
    if (said.length === 0) continue;
    const open = paragraphs.at(-1);
    if (!open || segment.start_ms - lastEnd >= pause || open.to - open.from >= longParagraph) {
      paragraphs.push({ from: words.length, to: words.length, start: said[0]!.start });
    }
    words.push(...said);
    paragraphs.at(-1)!.to = words.length;
    lastEnd = segment.end_ms;
  }
  return { words, paragraphs };
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
export function wordAt(words: readonly Word[], ms: number): number {
  return lastAtOrBefore(words, ms, (word) => word.start);
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

/** What was said from one word to another, both included. */
export function textOf(words: readonly Word[], from: number, to: number): string {
  return words.slice(from, to + 1).map((word, i) => (i ? word.gap : "") + word.text).join("");
}
