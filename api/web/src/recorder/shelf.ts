/*
 * What is on this device: recordings and their sound in pieces, in IndexedDB.
 * A piece and what it changes of its recording are written together.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import type { Item } from "./queue";

interface Shelf extends DBSchema {
  items: { key: string; value: Item };
  pieces: { key: [string, number]; value: { id: string; n: number; body: ArrayBuffer | Blob } };
}

let opened: Promise<IDBPDatabase<Shelf>> | undefined;

function shelf() {
  opened ??= openDB<Shelf>("hark", 1, {
    upgrade(db) {
      db.createObjectStore("items", { keyPath: "id" });
      db.createObjectStore("pieces", { keyPath: ["id", "n"] });
    },
    terminated: () => (opened = undefined),
  });
  return opened;
}

const piecesOf = (id: string) => IDBKeyRange.bound([id, 0], [id, Infinity]);
const news = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("hark-shelf");

/** Calls back when another page changed something. */
export const onChange = (then: () => void) => news?.addEventListener("message", then);

export const all = async () => (await shelf()).getAll("items");
export const get = async (id: string) => (await shelf()).get("items", id);

/** Writes an item and, if there is one, the next piece of its sound. */
export async function put(item: Item, piece?: { n: number; body: ArrayBuffer | Blob }) {
  const change = (await shelf()).transaction(["items", "pieces"], "readwrite");
  const writes: Promise<unknown>[] = [change.objectStore("items").put(item), change.done];
  if (piece) writes.push(change.objectStore("pieces").put({ id: item.id, ...piece }));
  await Promise.all(writes);
  news?.postMessage(item.id);
}

/** Changes an item, unless it is gone; returns it as it is now. */
export async function change(id: string, how: (item: Item) => Item | undefined): Promise<Item | undefined> {
  const change = (await shelf()).transaction("items", "readwrite");
  const item = await change.store.get(id);
  const changed = item && how(item);
  if (changed) await change.store.put(changed);
  await change.done;
  news?.postMessage(id);
  return changed;
}

export async function remove(id: string) {
  const change = (await shelf()).transaction(["items", "pieces"], "readwrite");
  await Promise.all([change.objectStore("items").delete(id), change.objectStore("pieces").delete(piecesOf(id)), change.done]);
  news?.postMessage(id);
}

/** All sound of an item, in one. */
export async function sound(item: Item): Promise<Blob> {
  const pieces = await (await shelf()).getAll("pieces", piecesOf(item.id));
  return new Blob(pieces.map((piece) => piece.body), { type: item.mime });
}
