/* Pieces of what was said: cut where it is to be highlighted, and where it has no more room. */

export interface Mark {
  start: number; // code points, as the API counts
  end: number;
}

export interface Piece {
  text: string;
  found: boolean;
}

/** Cuts text at its marks. Marks that do not fit are left out. */
export function pieces(text: string, marks: readonly Mark[]): Piece[] {
  const points = Array.from(text);
  const cut: Piece[] = [];
  let at = 0;
  const add = (to: number, found: boolean) => {
    if (to > at) cut.push({ text: points.slice(at, to).join(""), found });
    at = to;
  };
  for (const mark of marks) {
    if (mark.start < at || mark.end <= mark.start || mark.end > points.length) continue;
    add(mark.start, false);
    add(mark.end, true);
  }
  add(points.length, false);
  return cut;
}

/**
 * The beginning of a text, of at most so many characters: whole words, and an
 * ellipsis if there is more. Only a word that has no room at all is cut, between
 * two of what people take for characters. Hark's own snippets are cut likewise.
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const space = text.lastIndexOf(" ", limit);
  const end = space > 0 ? space : lastWhole(text, limit);
  const kept = text.slice(0, end).trimEnd();
  return /\p{P}$/u.test(kept) ? `${kept} …` : `${kept}…`;
}

/** Where the last character ends that has room; the first has it always. */
function lastWhole(text: string, limit: number): number {
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter().segment(text.slice(0, limit + 64))) {
    if (end > 0 && index + segment.length > limit) break;
    end = index + segment.length;
  }
  return end;
}
