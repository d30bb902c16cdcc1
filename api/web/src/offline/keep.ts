/*
 * Makes the copy of a conversation: its latest messages with their words, their
 * shape and, as far as there is room, their sound. What is there already and did
 * not change is not fetched again; what is gone on the server goes here too.
 */
import { api, isHarks, type Message, take, Trouble, troubleOf } from "../api/client";
import { base } from "../base";
import { kept } from "../state/kept.svelte";
import { playable } from "../state/player.svelte";
import { session } from "../state/session.svelte";
import * as store from "./store";

const latest = 50; // messages
const room = 200 << 20; // bytes of sound in one copy

/** Thrown when there is no more room on the device. */
export class NoRoom extends Error {}

/** Keeps a conversation, or brings its copy up to date, for as long as it is wanted by who is signed in now. */
export async function keep(conversation: string, wanted = () => true) {
  const user = session.me?.id ?? "";
  // Asked before each look into the database: that would make it anew after it was deleted.
  const isWanted = () => kept.isFor(user) && wanted();
  const page = await take(api.GET("/v1/conversations/{id}/messages", { params: { path: { id: conversation }, query: { limit: latest } } }));
  let bytes = 0;
  for (const message of page.items) {
    if (!isWanted()) return;
    const part = await current(message, room - bytes);
    if (!isWanted()) return;
    await stored(store.putPart(part));
    bytes += part.bytes;
  }
  if (!isWanted()) return;
  const ids = new Set(page.items.map(({ id }) => id));
  for (const { id } of await store.partsOf(conversation)) if (!ids.has(id) && isWanted()) await store.removePart(id);
  if (!isWanted()) return;
  await stored(store.putPage({ id: conversation, items: page.items, ...(page.next_cursor && { next_cursor: page.next_cursor }) }));
  if (isWanted()) kept.set(conversation, { at: Date.now(), bytes: bytes + JSON.stringify(page).length, messages: page.items.length });
}

/** Brings copies up to date, in one tab of many; those go that are not to be had any more. */
export async function refresh(conversations: readonly string[]) {
  await navigator.locks.request(`hark-offline${base}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    for (const conversation of conversations) {
      try {
        await keep(conversation, () => kept.copies.has(conversation)); // it may be let go of meanwhile
      } catch (thrown) {
        if (thrown instanceof NoRoom) return;
        const { kind } = troubleOf(thrown);
        if (kind === "missing") await kept.remove(conversation);
        else if (kind !== "refused") return; // not reached: another time
      }
    }
  });
}

/** What is kept of a message: as it was, if that is still true. */
async function current(message: Message, left: number): Promise<store.Part> {
  const there = await store.part(message.id);
  if (there?.updated === message.updated_at) return there;
  const path = { params: { path: { id: message.id } } };
  const [words, shape, sound] = await Promise.all([
    message.transcript_version > 0 ? take(api.GET("/v1/messages/{id}/transcript.json", path)) : undefined,
    message.duration_ms === undefined ? undefined : take(api.GET("/v1/messages/{id}/waveform", path)).catch(ignoreMissing),
    playable(message) ? soundOf(message, left) : undefined,
  ]);
  const bytes = (sound?.size ?? 0) + (words ? JSON.stringify(words).length : 0) + (shape?.peaks.length ?? 0);
  return {
    id: message.id, conversation: message.conversation_id, updated: message.updated_at, bytes,
    ...(words && { words }), ...(shape && { peaks: shape.peaks }), ...(sound && { sound }),
  };
}

/** The sound of a message, unless it is more than is left. */
async function soundOf(message: Message, left: number): Promise<Blob | undefined> {
  const answer = await fetch(message.links.audio).catch(() => undefined);
  if (!answer || !isHarks(answer)) throw new Trouble("offline");
  const size = Number(answer.headers.get("Content-Length") ?? 0);
  if (!answer.ok || size > left) {
    await answer.body?.cancel();
    return undefined;
  }
  const sound = await answer.blob();
  if (size && sound.size !== size) throw new Trouble("offline"); // cut off on its way
  return sound;
}

/** What is not made yet comes with the next version of the message. */
function ignoreMissing(thrown: unknown): undefined {
  if (troubleOf(thrown).kind !== "missing") throw thrown;
}

async function stored(write: Promise<unknown>) {
  try {
    await write;
  } catch (cause) {
    throw cause instanceof DOMException && cause.name === "QuotaExceededError" ? new NoRoom() : cause;
  }
}
