/*
 * What is played here, told to the server, which adds it up over all devices. What
 * could not be told waits in this browser: it may come late, and twice.
 */
import { api, take, troubleOf } from "../api/client";
import { base } from "../base";
import { batchOf, isPlayedAll, type PlayedAll, without, withPlayed } from "../logic/heard";
import { library } from "./library.svelte";
import { forgetKey, recall, remember } from "./remember";
import { session } from "./session.svelte";

const key = `hark.heard${base}`;
const pause = 10_000; // ms between calls while something plays

interface Waiting {
  of: string; // id of whom it is
  played: PlayedAll;
}

let fresh: PlayedAll = {};
let timer: ReturnType<typeof setTimeout> | undefined;
let telling = false;

const waiting = (): PlayedAll => {
  const found = recall<Waiting>(key, ({ of, played }) => typeof of === "string" && isPlayedAll(played));
  return found && found.of === session.me?.id ? found.played : {};
};

function keep(played: PlayedAll) {
  if (!Object.keys(played).length) forgetKey(key);
  else remember(key, { of: session.me?.id ?? "", played });
}

/** A stretch of a message was played, in ms. */
export function wasPlayed(id: string, from: number, to: number) {
  fresh = withPlayed(fresh, { [id]: { ranges: [[Math.floor(from), Math.ceil(to)]], at: Math.round(to) } });
  timer ??= setTimeout(() => void tellHeard(), pause);
}

/** Tells what is not told yet. keepalive lets it go out while the page goes away. */
export async function tellHeard(keepalive = false) {
  clearTimeout(timer);
  timer = undefined;
  if (!session.me || (telling && !keepalive)) return;
  const all = withPlayed(waiting(), fresh);
  fresh = {};
  const batch = batchOf(all);
  if (!Object.keys(batch).length) return;
  keep(all);
  telling = true;
  let more = false;
  try {
    const messages = Object.entries(batch).map(([id, { ranges, at }]) => ({ id, at_ms: at, ranges: ranges.map(([from, to]) => ({ from_ms: from, to_ms: to })) }));
    const { items } = await take(api.POST("/v1/heard", { body: { messages }, keepalive }));
    const left = without(waiting(), batch);
    keep(left);
    more = Object.keys(left).length > 0;
    for (const one of items) library.heard(one.id, one);
  } catch (thrown) {
    const { kind } = troubleOf(thrown);
    if (kind === "refused") keep(without(waiting(), batch)); // it would be again
    if (kind === "signed-out") session.end();
  }
  telling = false;
  if (more || Object.keys(fresh).length) timer ??= setTimeout(() => void tellHeard(), pause);
}

/** Has all of a conversation count as heard. */
export async function markHeard(conversation: string) {
  await tellHeard();
  await take(api.POST("/v1/conversations/{id}/heard", { params: { path: { id: conversation } } }));
  library.reheard(conversation, 0);
}

/** Has a message and what came after it count as not heard. */
export async function markUnheard(message: string) {
  await tellHeard(); // else it would come afterwards, and undo it
  const { conversation_id: id, unread } = await take(api.DELETE("/v1/messages/{id}/heard", { params: { path: { id: message } } }));
  library.reheard(id, unread);
}

addEventListener("pagehide", () => void tellHeard(true));
addEventListener("online", () => void tellHeard());
document.addEventListener("visibilitychange", () => document.hidden && void tellHeard(true));
session.whenOut(() => {
  fresh = {};
  forgetKey(key);
});
