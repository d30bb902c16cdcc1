/* Finds people by what is typed of their names, whatever the accents and the case. */
import type { Named } from "./initials";

/** Letters that no decomposition makes plain. */
const plain: Record<string, string> = { ß: "ss", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i", ħ: "h" };

export const fold = (text: string) =>
  text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/[ßøłđðþæœıħ]/g, (one) => plain[one]!);

/** A list of people to pick from, folded once. */
export class Pick<P extends Named> {
  private readonly entries: { person: P; name: string }[];

  constructor(people: readonly P[]) {
    const order = new Intl.Collator().compare;
    this.entries = people.map((person) => ({ person, name: fold(person.name) })).sort((a, b) => order(a.person.name, b.person.name));
  }

  /** Whose name has all that was typed: first those whose name or a word of it begins so. */
  find(typed: string): P[] {
    const words = fold(typed).split(/\s+/).filter(Boolean);
    const found = this.entries.filter(({ name }) => words.every((word) => name.includes(word)));
    const rank = (name: string) => (name.startsWith(words[0]!) ? 0 : words.every((word) => ` ${name}`.includes(` ${word}`)) ? 1 : 2);
    if (words.length) found.sort((a, b) => rank(a.name) - rank(b.name)); // stable
    return found.map(({ person }) => person);
  }
}
