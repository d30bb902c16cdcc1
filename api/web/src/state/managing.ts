/* What is refused to who manages people, in the page's own language. */
import { Trouble, troubleOf } from "../api/client";
import { managingWords } from "../words/managing";
import { session } from "./session.svelte";

/** What was thrown, in plain words; where one's role may have changed, it is looked at again. */
export function refusedWords(thrown: unknown): Trouble {
  const trouble = troubleOf(thrown);
  const words: Record<string, string> = { last_owner: managingWords().lastOwner, forbidden: managingWords().forbidden };
  if (trouble.code === "forbidden" || trouble.kind === "missing") session.check();
  const said = words[trouble.code];
  return said ? new Trouble(trouble.kind, trouble.code, said) : trouble;
}
