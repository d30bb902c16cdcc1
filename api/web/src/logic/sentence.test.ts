import { describe, expect, it } from "vitest";

import { sentenceEnds } from "./sentence";

/** The sentences of a text whose words are split at spaces. */
function sentences(text: string): string[] {
  const words = text.split(" ").map((word) => ({ text: word }));
  const ends = sentenceEnds(words);
  const found: string[][] = [[]];
  for (const [i, { text: word }] of words.entries()) {
    found.at(-1)!.push(word);
    if (ends[i]) found.push([]);
  }
  return found.map((sentence) => sentence.join(" "));
}
/** Takes the text with | where a sentence ends. */
const splits = (text: string) => expect(sentences(text.replaceAll("|", "")).join("| ")).toBe(text);

describe("sentences end", () => {
  it("with their marks, and not before small letters", () => {
    splits("We met.| Did it rain?| No!| It was dry…| We left.");
    splits("“Stop!” he said.| Yahoo! was there. it was large");
    splits("They waited... and waited...| Then it came.");
  });

  it("behind quotes and brackets that close", () => {
    splits("She said “it moved.”| We believed her.| (He did not.)| Later he did.");
    splits("Er sagte: „Halt.“| Wir hielten.| »Gut.«| Dann weiter.");
    splits("Il a dit « oui ! »| Puis il est parti.| « Bien. »| Voilà.");
    splits("He asked \"why?\"| Nobody knew.| 'Never.'| That was all.");
  });

  it("not with abbreviations, initials and numbers", () => {
    splits("Dr. Smith and Mrs. Jones of St. Ives met J. R. Hartley.| He waved.");
    splits("It is 3.5 metres, e.g. Hamburg or the U.S. Navy at 9 p.m. Monday.| Good.");
    splits("Am 3. Mai kam Prof. Dr. Weber, z.B. Herr Nr. 7 dazu.| Dann gingen wir.");
    splits("See No. 5 and Fig. 12 of it.| No.| I said no.| We left.");
    splits("M. Dupont et Mme. Durand.| Oui.");
  });

  it("with marks that stand alone", () => {
    splits("Bonjour !| Ça va ?| Oui .| Très bien .");
    splits("He left . ”| She stayed . )| So it was");
    splits("Version 3 . 5 is out");
  });

  it("in other scripts", () => {
    splits("你好。| 你去哪里？| 我回家！| 好");
    splits("彼は「行く。」| と言った。| そう");
    splits("أين أنت؟| هنا.| نعم");
    splits("यह अच्छा है।| हाँ");
    splits("Τι κάνεις;| Καλά.| Ναι");
    splits("Բարեւ։| Այո");
    splits("Он ушёл.| Она осталась.| А. С. Пушкин писал.");
    splits("¿Dónde está?| ¡Aquí!| ¿Ves?| Sí.");
  });

  it("without capitals where there are none at all", () => {
    splits("we met.| it rained.| we left");
    splits("we met. it rained.| So it was");
    splits("no marks at all are here");
  });
});
