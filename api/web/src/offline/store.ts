/*
 * Conversations that are kept on this device: for each the newest page of its
 * messages, and for each message its words, its shape and its sound. In
 * IndexedDB; which there are, state/kept knows without opening it.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import type { Message, Transcript } from "../api/client";
import { databaseName } from "../state/kept.svelte";

export interface KeptPage {
  id: string; // of the conversation
  items: Message[]; // the newest first
  next_cursor?: string; // to what is older, and not kept
}

export interface Part {
  id: string; // of the message
  conversation: string;
  updated: string; // updated_at of the message that it was made of
  bytes: number;
  words?: Transcript;
  peaks?: readonly number[];
  sound?: Blob;
}

interface Kept extends DBSchema {
  pages: { key: string; value: KeptPage };
  parts: { key: string; value: Part; indexes: { conversation: string } };
}

let opened: Promise<IDBPDatabase<Kept>> | undefined;

/** Opens it; signing out in any tab deletes it, which waits for nobody. */
function database() {
  opened ??= openDB<Kept>(databaseName, 1, {
    upgrade(db) {
      db.createObjectStore("pages", { keyPath: "id" });
      db.createObjectStore("parts", { keyPath: "id" }).createIndex("conversation", "conversation");
    },
    blocking: (_from, _to, event) => {
      (event.target as IDBDatabase).close();
      opened = undefined;
    },
    terminated: () => (opened = undefined),
  }).catch((cause: unknown) => {
    opened = undefined;
    throw cause;
  });
  return opened;
}

export const page = async (conversation: string) => (await database()).get("pages", conversation);
export const putPage = async (page: KeptPage) => (await database()).put("pages", page);
export const part = async (message: string) => (await database()).get("parts", message);
export const putPart = async (part: Part) => (await database()).put("parts", part);
export const partsOf = async (conversation: string) => (await database()).getAllFromIndex("parts", "conversation", conversation);
export const removePart = async (message: string) => (await database()).delete("parts", message);

/** A message of any page that is kept. */
export async function message(id: string): Promise<Message | undefined> {
  const at = await part(id);
  return at && (await page(at.conversation))?.items.find((one) => one.id === id);
}

/** Lets go of a conversation. */
export async function remove(conversation: string) {
  const change = (await database()).transaction(["pages", "parts"], "readwrite");
  const ids = await change.objectStore("parts").index("conversation").getAllKeys(conversation);
  await Promise.all([change.objectStore("pages").delete(conversation), ...ids.map((id) => change.objectStore("parts").delete(id)), change.done]);
}
