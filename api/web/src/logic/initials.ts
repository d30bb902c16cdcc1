/*
 * How people are told apart where there is room for little: two letters on a
 * disc, and a number behind a name that somebody had before.
 */
export interface Named {
  id: string;
  name: string;
}

export interface Mark {
  name: string; // as it is shown
  initials: string;
}

const segmenter = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : undefined;

/** What is seen as one character, such as a letter with its accents or an emoji of several parts. */
export const graphemes = (text: string): string[] => (segmenter ? Array.from(segmenter.segment(text), ({ segment }) => segment) : Array.from(text));

const isLetter = (one: string) => /^[\p{L}\p{N}]/u.test(one);

/** One that becomes several as a capital stays as it is: ß. */
function capital(one: string): string {
  const upper = one.toLocaleUpperCase();
  return graphemes(upper).length === 1 ? upper : one;
}

/** Two letters for a name: of its first and its last word, or the first two of a single word. A picture stands alone. */
export const initialsOf = (name: string): string => choices(name)[0]!;

/** Initials for a name, the best first. */
function choices(name: string): string[] {
  const words = name.split(/\s+/).map((word) => graphemes(word)).filter((word) => word.length);
  const spelt = words.map((word) => word.filter(isLetter)).filter((word) => word.length);
  const first = words[0]?.[0];
  if (!first || !spelt.length || /^\p{Extended_Pictographic}/u.test(first)) return [first ?? "·"];
  const [letter, ...rest] = spelt[0]!;
  const last = spelt.length > 1 ? spelt.at(-1)! : [];
  const second = last.length ? [capital(last[0]!), ...last.slice(1), ...rest] : rest;
  return second.length ? second.map((one) => capital(letter!) + one) : [capital(letter!)];
}

/** What people are called and marked with, where all are shown together: who came first keeps what others would have, too. */
export function tellApart(people: readonly Named[]): Map<string, Mark> {
  const used = new Set<string>();
  const called = new Map<string, number>();
  return new Map(
    people.map(({ id, name }) => {
      const folded = name.normalize("NFKC").toLocaleLowerCase();
      const count = (called.get(folded) ?? 0) + 1;
      called.set(folded, count);
      const initials = free(choices(name), used);
      used.add(initials);
      return [id, { name: count > 1 ? `${name} (${count})` : name, initials }];
    }),
  );
}

function free(wanted: string[], used: ReadonlySet<string>): string {
  const found = wanted.find((one) => !used.has(one));
  if (found) return found;
  const letter = graphemes(wanted[0]!)[0]!;
  for (let n = 2; n < 100; n++) if (!used.has(letter + n)) return letter + n;
  return wanted[0]!; // so many are of one name that letters tell nobody apart
}
