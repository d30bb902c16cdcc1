/* What a search found, cut where it is to be highlighted. */

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
