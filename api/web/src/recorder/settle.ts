/*
 * The end of a live recording, which is a draft on the server: it is ended,
 * waited for, and compared with the copy on this device. What it lacks decides
 * whether it or the copy is sent.
 */
import { api, type Message, take, troubleOf } from "../api/client";
import { liveIsWhole } from "./decide";
import type { Item } from "./queue";

const tries = 20;
const pause = 400;

/** Ends the live recording and sends it; undefined, when the copy has to be. Throws when the server is not reached. */
export async function settle(item: Item): Promise<Message | undefined> {
  const live = item.live!;
  if (!live.whole || item.cuts.length) return undefined;
  if (live.session) await end(live.session);
  for (let i = 0; i < tries; i++) {
    const message = await find(live.message);
    if (!message) return undefined;
    if (message.state !== "recording") {
      if (!liveIsWhole(live, item.ms, message.duration_ms)) return undefined;
      return publish(message, item.title);
    }
    await new Promise((wake) => setTimeout(wake, pause));
  }
  return undefined;
}

/** Sends a draft of the server, of which there is no copy here; undefined, when it is gone. */
export async function sendDraft(id: string, title: string): Promise<Message | undefined> {
  const message = await find(id);
  return message && publish(message, title);
}

/** Discards the live recording, which something better stands in for, or nothing. One that was sent meanwhile stays. */
export async function withdraw(draft: string) {
  try {
    await take(api.DELETE("/v1/drafts/{id}", { params: { path: { id: draft } } }));
  } catch (thrown) {
    const { kind, code } = troubleOf(thrown);
    if (kind !== "missing" && code !== "already_sent") throw thrown;
  }
}

/** Sends a draft under its title. One that is sent already stays as it is. */
async function publish(message: Message, title: string): Promise<Message | undefined> {
  const path = { id: message.id };
  try {
    if (title !== message.title) await take(api.PATCH("/v1/messages/{id}", { params: { path }, body: { title } }));
    return await take(api.POST("/v1/messages/{id}/send", { params: { path } }));
  } catch (thrown) {
    if (troubleOf(thrown).kind === "missing") return undefined; // discarded on another device, this moment
    throw thrown;
  }
}

async function end(session: string) {
  await fetch(session, { method: "DELETE", signal: AbortSignal.timeout(10_000) }); // 404: it has ended by itself
}

export async function find(id: string): Promise<Message | undefined> {
  try {
    return await take(api.GET("/v1/messages/{id}", { params: { path: { id } }, signal: AbortSignal.timeout(10_000) }));
  } catch (thrown) {
    if (troubleOf(thrown).kind === "missing") return undefined;
    throw thrown;
  }
}
