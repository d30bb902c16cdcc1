/*
 * What Hark says, in the language that was chosen. A dictionary is loaded when
 * it is needed; the page is drawn anew when it changes, so `t` can be plain.
 */
import { prefs } from "../state/prefs.svelte";
import { en, type Words } from "./en";

export const languages = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof languages;

export let t: Words = en;
/** The locale for dates and numbers: the browser's own, where it speaks the language. */
export let locale = "en";

/** The language to speak: what was chosen here, or the first of the browser's that Hark knows. */
export function chosenLanguage(): Language {
  for (const tag of [prefs.language, ...navigator.languages]) {
    const code = tag.split("-")[0]!;
    if (code in languages) return code as Language;
  }
  return "en";
}

/** That a transcript may be in another language than it says; its words are then not to be relied on. */
export function languageDoubt({ language }: { language?: string }): string {
  return t.transcript.languageDoubt(language ? nameOf(language) : "");
}

/** A language by its name; nothing for a tag that is none. */
function nameOf(tag: string): string {
  try {
    return new Intl.DisplayNames(locale, { type: "language", fallback: "none" }).of(tag) ?? "";
  } catch {
    return "";
  }
}

let wanted: Language; // what was asked for last: a dictionary that comes late is not spoken

/** Learns a language and speaks it from now on; English where it is not to be had. Says whether it is still the one that is wanted. */
export async function speak(language: Language): Promise<boolean> {
  wanted = language;
  const words = language === "de" ? await import("./de").then(({ de }) => de, () => en) : en;
  if (language !== wanted) return false;
  t = words;
  locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
  document.documentElement.lang = t === en ? "en" : language;
  return true;
}
