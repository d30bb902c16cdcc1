/*
 * What is on this device: recordings and their sound in pieces, in IndexedDB.
 * A piece and what it changes of its recording are written together. What finds
 * no room there, on a full device or in a browser that forbids it, stays in
 * memory, and lives as long as the page.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import { base } from "../base";
import { hold } from "../state/leave";
import { keepStored } from "./persist";
import type { Item } from "./queue";

interface Schema extends DBSchema {
  items: { key: string; value: Item };
  pieces: { key: [string, number]; value: { id: string; n: number; body: Body } };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

type Body = ArrayBuffer | Blob;
const spare = new Map<string, { item: Item; pieces: Map<number, Body> }>();
hold(() => spare.size > 0);

function database() {
  opened ??= open().catch((cause: unknown) => {
    opened = undefined; // it may be there the next time
    throw cause;
  });
  return opened;
}

const open = async () => // where it is forbidden, asking for it throws
  openDB<Schema>(`hark${base}`, 1, {
    upgrade(db) {
      db.createObjectStore("items", { keyPath: "id" });
      db.createObjectStore("pieces", { keyPath: ["id", "n"] });
    },
    terminated: () => (opened = undefined),
  });

const piecesOf = (id: string) => IDBKeyRange.bound([id, 0], [id, Infinity]);
const news = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(`hark-shelf${base}`);

/** Calls back when another page changed something. */
export const onChange = (then: () => void) => news?.addEventListener("message", then);

/** Whether only this page has it, or the end of it. */
export const onlyHere = (id: string) => spare.has(id);

export async function all(): Promise<Item[]> {
  const kept = await database().then((db) => db.getAll("items"), () => []);
  return [...kept.filter((item) => !spare.has(item.id)), ...Array.from(spare.values(), ({ item }) => item)];
}

/** Writes an item and, if there is one, the next piece of its sound. False says that there was no room on the device. */
export async function put(item: Item, piece?: { n: number; body: Body }): Promise<boolean> {
  const kept = !spare.has(item.id) && (await write(item, piece));
  if (!kept) {
    const { pieces } = spare.get(item.id) ?? { pieces: new Map<number, Body>() };
    if (piece) pieces.set(piece.n, piece.body);
    spare.set(item.id, { item, pieces });
  }
  news?.postMessage(item.id);
  return kept;
}

async function write(item: Item, piece?: { n: number; body: Body }): Promise<boolean> {
  try {
    const change = (await database()).transaction(["items", "pieces"], "readwrite");
    const writes: Promise<unknown>[] = [change.objectStore("items").put(item), change.done];
    if (piece) writes.push(change.objectStore("pieces").put({ id: item.id, ...piece }));
    const kept = (await Promise.allSettled(writes)).every(({ status }) => status === "fulfilled");
    if (kept && piece) keepStored();
    return kept;
  } catch {
    return false;
  }
}

/** Changes an item, unless it is gone; returns it as it is now. */
export async function change(id: string, how: (item: Item) => Item | undefined): Promise<Item | undefined> {
  const here = spare.get(id);
  if (here) return (here.item = how(here.item) ?? here.item);
  const change = (await database()).transaction("items", "readwrite");
  const item = await change.store.get(id);
  const changed = item && how(item);
  if (changed) await change.store.put(changed);
  await change.done;
  news?.postMessage(id);
  return changed;
}

export async function remove(id: string) {
  const here = spare.delete(id);
  try {
    const change = (await database()).transaction(["items", "pieces"], "readwrite");
    await Promise.all([change.objectStore("items").delete(id), change.objectStore("pieces").delete(piecesOf(id)), change.done]);
  } catch (cause) {
    if (!here) throw cause;
  }
  news?.postMessage(id);
}

/** The sound of an item in the parts in which it was recorded; most often one. */
export async function sound(item: Item): Promise<Blob[]> {
  const all = await pieces(item.id);
  const begins = [0, ...(item.parts ?? []), Infinity];
  return begins
    .slice(1)
    .map((end, i) => new Blob(all.filter(({ n }) => n >= begins[i]! && n < end).map(({ body }) => body), { type: item.mime }))
    .filter((part) => part.size > 0);
}

/** The number of the piece that comes next. */
export const nextPiece = async (id: string) => ((await pieces(id)).at(-1)?.n ?? -1) + 1;

async function pieces(id: string): Promise<{ n: number; body: Body }[]> {
  const here = Array.from(spare.get(id)?.pieces ?? [], ([n, body]) => ({ n, body }));
  const kept = await database().then((db) => db.getAll("pieces", piecesOf(id)), (cause: unknown) => {
    if (!here.length) throw cause;
    return [];
  });
  return [...kept, ...here].sort((a, b) => a.n - b.n);
}
