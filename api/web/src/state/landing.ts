/*
 * Where somebody was going when they were asked to sign in. They come back by a
 * sign-in link, in this tab or another, and land there: within an hour, and, who
 * was signed out in the middle of something, only as the same person.
 */
import { base } from "../base";
import { forgetKey, recall, remember } from "./remember";
import { isPlace } from "./route.svelte";

interface Wanted {
  address: string; // below the base; empty after signing out on purpose
  user: string; // id of who was there; empty for who opened a link while signed out
  at: number; // Unix ms
}

const key = `hark.landing${base}`;
const life = 60 * 60_000; // ms
const calm = 10_000; // ms after signing out on purpose, in which no other tab says that it was in the middle of something

/** Remembers where to go after signing in. */
export function wantLater(address: string, user = "") {
  const last = read(browser);
  if (user && last?.address === "" && Date.now() - last.at < calm) return;
  // Who reloads the sign-in page is not known any more, and may be who was in the middle of something there.
  if (!user && last?.user && last.address === address && Date.now() - last.at < life) return;
  write({ address, user, at: Date.now() });
}

/** Somebody left on purpose: whoever comes next begins at the beginning. */
export const wantNothing = () => write({ address: "", user: "", at: Date.now() });

/** Where to go now that somebody is signed in; told once. */
export function wanted(user: string): string | undefined {
  const all = both.map(read);
  for (const where of both) forgetKey(key, where);
  return all.find((one) => one && isPlace(one.address) && Date.now() - one.at < life && (!one.user || one.user === user))?.address;
}

/** This tab's own comes first, then the browser's: a sign-in link is often opened in another tab. */
const browser = () => localStorage;
const both = [() => sessionStorage, browser];

const read = (where: () => Storage) => recall<Wanted>(key, ({ address, user, at }) => typeof address === "string" && typeof user === "string" && typeof at === "number", where);

function write(wanted: Wanted) {
  for (const where of both) remember(key, wanted, where);
}
