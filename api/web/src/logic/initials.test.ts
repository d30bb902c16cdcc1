import { expect, test } from "vitest";

import { graphemes, initialsOf, tellApart } from "./initials";

test("two letters stand for a name", () => {
  const of = {
    "Ada Lovelace": "AL",
    "ada": "Ad",
    "Q": "Q",
    "Jean-Luc van der Berg": "JB",
    "王小明": "王小",
    "김 민수": "김민",
    "نرگس محمدی": "نم",
    "🦊": "🦊",
    "👩‍👩‍👧 Family": "👩‍👩‍👧",
    "Ada (office)": "AO",
    "Élodie Zoë": "ÉZ",
    "ßeta": "ße",
    "Ada 🦊": "Ad",
    "…": "…",
    "": "·",
  };
  for (const [name, initials] of Object.entries(of)) expect([name, initialsOf(name)]).toEqual([name, initials]);
});

test("a mark is never more than two characters, and never half of one", () => {
  for (const name of ["👨🏽‍🚀👩‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿 Alba", "é́a", "นี่คือ", "Z͑͒a"]) {
    const marks = graphemes(initialsOf(name));
    expect(marks.length).toBeLessThanOrEqual(2);
    for (const mark of marks) expect(graphemes(name.toLocaleUpperCase() + name)).toContain(mark);
  }
});

const people = (...names: string[]) => names.map((name, i) => ({ id: String(i), name }));
const shown = (...names: string[]) => Array.from(tellApart(people(...names)).values());

test("who has another's initials gets other ones, in the order of joining", () => {
  expect(shown("Anna Schmidt", "Axel Sommer", "Alois Stein", "Ada").map((one) => one.initials)).toEqual(["AS", "Ao", "At", "Ad"]);
});

test("people of one name have numbers", () => {
  expect(shown("Ada", "ada", "Ada B", "Ａda").map((one) => one.name)).toEqual(["Ada", "ada (2)", "Ada B", "Ａda (3)"]);
});

test("all of a dozen of one name differ", () => {
  const all = shown(...Array<string>(12).fill("Jo"));
  expect(new Set(all.map((one) => one.initials)).size).toBe(12);
  expect(new Set(all.map((one) => one.name)).size).toBe(12);
});
