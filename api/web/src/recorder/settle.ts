/*
 * The end of a live recording, of which there is a copy: it is ended, waited
 * for, and compared. What it lacks decides whether it or the copy is sent.
 */
import { api, type Message, take, troubleOf } from "../api/client";
import { liveIsWhole } from "./decide";
import type { Item } from "./queue";

const tries = 20;
const pause = 400;

/** Ends the live recording; the message, when it may stay. Throws when the server is not reached. */
export async function settle(item: Item): Promise<Message | undefined> {
  const live = item.live!;
  if (!live.whole || item.cuts.length) return undefined;
  await end(live.session);
  for (let i = 0; i < tries; i++) {
    const message = await find(live.message);
    if (!message) return undefined;
    if (message.state !== "recording") {
      if (!liveIsWhole(live, item.ms, message.duration_ms)) return undefined;
      return item.title === message.title ? message : take(api.PATCH("/v1/messages/{id}", { params: { path: { id: message.id } }, body: { title: item.title } }));
    }
    await new Promise((wake) => setTimeout(wake, pause));
  }
  return undefined;
}

/** Takes back the live recording, which something better stands in for, or nothing. */
export async function withdraw(message: string) {
  try {
    await take(api.DELETE("/v1/messages/{id}", { params: { path: { id: message } } }));
  } catch (thrown) {
    if (troubleOf(thrown).kind !== "missing") throw thrown;
  }
}

async function end(session: string) {
  await fetch(session, { method: "DELETE", signal: AbortSignal.timeout(10_000) }); // 404: it has ended by itself
}

async function find(id: string): Promise<Message | undefined> {
  try {
    return await take(api.GET("/v1/messages/{id}", { params: { path: { id } }, signal: AbortSignal.timeout(10_000) }));
  } catch (thrown) {
    if (troubleOf(thrown).kind === "missing") return undefined;
    throw thrown;
  }
}
