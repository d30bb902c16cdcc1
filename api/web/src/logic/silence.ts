/* Where nobody speaks, so that the player may go past it. */
/** What somebody says, or may say: a word, or a stretch that was not understood. */
export interface Sounding {
  start: number; // ms
  end: number; // ms
}

export interface Span {
  from: number; // ms
  to: number; // ms
}

/** A pause this short belongs to speech. */
const shortest = 1000;
/** What is left of a pause at either end, so that no word loses its edge. */
const breath = 200;
/** A peak below this part of the loudest is no speech. */
const quiet = 0.06;

/** The pauses between what is said, in any order, and before the first of it and behind the last. */
export function pausesOf(said: readonly Sounding[], length: number): Span[] {
  const spans: Span[] = [];
  let spoken = 0; // end of what was said so far
  for (const { start, end } of [...said].sort((a, b) => a.start - b.start)) {
    add(spans, spoken, start, length);
    spoken = Math.max(spoken, end);
  }
  if (said.length) add(spans, spoken, length, length);
  return spans;
}

/** The same by the waveform, where there are no words yet. */
export function silencesOf(peaks: readonly number[], length: number): Span[] {
  const spans: Span[] = [];
  const loudest = Math.max(...peaks, 0);
  const step = length / peaks.length;
  let begun = -1;
  for (let i = 0; i <= peaks.length; i++) {
    const silent = i < peaks.length && peaks[i]! < loudest * quiet;
    if (silent && begun < 0) begun = i;
    if (!silent && begun >= 0) {
      add(spans, begun * step, i * step, length);
      begun = -1;
    }
  }
  return loudest > 0 ? spans : [];
}

function add(spans: Span[], from: number, to: number, length: number) {
  if (to - from < shortest) return;
  spans.push({ from: from === 0 ? 0 : from + breath, to: to >= length ? length : to - breath });
}

/** Where to go on from here: the end of the pause that it lies in, or undefined. */
export function endOfPause(spans: readonly Span[], ms: number): number | undefined {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.from <= ms) low = middle + 1;
    else high = middle;
  }
  const span = spans[low - 1];
  return span && ms < span.to - 50 ? span.to : undefined;
}
