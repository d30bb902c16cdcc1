/*
 * Where sentences end among words that were heard. In doubt a sentence goes on:
 * a paragraph that breaks one sentence later is a smaller fault than one that
 * breaks in mid-sentence.
 */

const set = (list: string) => new Set(list.split(" "));
/** Words that a name or more of the sentence follows, if a dot does. */
const announcing = set(
  "mr mrs ms mx dr prof rev hon gov sen rep gen col capt cpt lt sgt maj st mt ft jr sr esq vs dept approx ca cf eg ie " +
    "hr fr frl dipl ing med phil inkl exkl bzw evtl ggf vgl sog mm mme mlle mgr sra srta dott dra dhr mevr bijv",
);
/** Words of which that is true before a number. */
const counting = set("no nos nr num núm vol fig ch sec art abs bd str tel p pp pág av s");

/** Whether a word is worth a closer look. */
const suspect = /[\p{Sentence_Terminal}…;\u037e]|^[\p{P}\p{S}]+$/u;
const terminal = /[\p{Sentence_Terminal}…]$/u;
const greekQuestion = /\p{Script=Greek}[;\u037e]$/u;
/** What may stand behind the mark that ends a sentence, and belongs to it. */
const closers = /[\p{Pe}\p{Pf}«“‘"'*]+$/u;
const openers = /^[\p{Ps}\p{Pi}»„‚"'*¿¡]+/u;
const surelyOpens = /^[\p{Ps}\p{Pi}„‚¿¡]/u;
const bare = /^[\p{P}\p{S}]+$/u; // no letter and no digit

/** For each word, whether a sentence ends with it and another begins. */
export function sentenceEnds(words: readonly { text: string }[]): boolean[] {
  const ends = find(words, true);
  // Some engines write marks, but no capitals.
  return ends.some(Boolean) || words.some(({ text }) => /\p{Lu}/u.test(text)) ? ends : find(words, false);
}

function find(words: readonly { text: string }[], cased: boolean): boolean[] {
  return words.map(({ text }, i) => {
    const next = words[i + 1]?.text;
    return suspect.test(text) && next !== undefined && !goesOn(next, cased) && marked(withMarks(words, i), next);
  });
}

/** A word; for marks that stand alone, with the word that they belong to. */
function withMarks(words: readonly { text: string }[], at: number): string {
  let text = words[at]!.text;
  for (let back = at - 1; back >= 0 && back >= at - 3 && bare.test(text) && !surelyOpens.test(text); back--) text = words[back]!.text + text;
  return text;
}

/** Whether a sentence goes on with a word, as with one in small letters, or a mark alone. */
function goesOn(next: string, cased: boolean): boolean {
  const body = next.replace(openers, "");
  if (body === "") return !surelyOpens.test(next);
  return bare.test(body) || (cased && /^\p{Ll}/u.test(body));
}

function marked(text: string, next: string): boolean {
  const body = text.replace(closers, "");
  if (greekQuestion.test(body)) return true;
  if (!terminal.test(body)) return false;
  if (!body.endsWith(".") || body.endsWith("..")) return true;
  return !abbreviated(body.slice(0, -1), next);
}

/** Whether the dot behind a word belongs to the word: "Dr.", "J.", "z.B.", "3." */
function abbreviated(text: string, next: string): boolean {
  const word = text.split(/[\s\p{Ps}\p{Pi}„"'-]/u).at(-1)!.toLowerCase();
  return (
    /^\p{L}$/u.test(word) || // an initial
    /^(?:\p{L}{1,2}\.)+\p{L}{1,2}$/u.test(word) ||
    /^\p{Nd}{1,4}$/u.test(word) || // "am 3. Mai"
    announcing.has(word) ||
    (counting.has(word) && /^\p{Nd}/u.test(next))
  );
}
