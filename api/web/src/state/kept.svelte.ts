/*
 * What is kept on this device to be read and heard without a connection: the
 * conversations of which somebody asked for it, and nothing once they sign out.
 * The list of them lies in local storage, the rest in a database that is opened
 * when it is needed.
 */
import { SvelteMap } from "svelte/reactivity";

import { Trouble, troubleOf } from "../api/client";
import { base } from "../base";
import { isPerson } from "./known";
import { forgetKey, recall, remember } from "./remember";

export interface Copy {
  at: number; // when it was made, in Unix ms
  bytes: number;
  messages: number;
}

interface Listed {
  user: string; // whose it is
  copies: Record<string, Copy>; // by conversation
  others?: Record<string, Listed["copies"]>; // by who the same person is in their other workspaces
}

export const databaseName = `hark-offline${base}`;
const key = `hark.offline${base}`;
const calm = 5000; // ms in which what happens is gathered
const unreached: ReadonlySet<string> = new Set(["offline", "intercepted", "broken"]);

const store = () => import("../offline/store");

class Kept {
  /** By conversation. */
  readonly copies = new SvelteMap<string, Copy>();
  /** Conversations that are shown from this device, since the server is not reached. */
  readonly shown = new SvelteMap<string, Copy>();
  private user = "";
  private listening = false;
  private readonly changes = new Set<string>();

  /** Learns whose device it is; another one's copies go. */
  begin(user: string) {
    const listed = read();
    if (listed && listed.user !== user) {
      if (isPerson(listed.user, user)) remember(key, { user, copies: listed.others?.[user] ?? {}, others: { ...listed.others, [listed.user]: listed.copies } } satisfies Listed);
      else this.wipe();
    }
    this.user = user;
    this.load();
    if (this.listening) return;
    this.listening = true;
    addEventListener("storage", (event) => event.key === key && this.load());
    for (const id of this.copies.keys()) this.changed(id);
  }

  /** Something happened in a conversation: its copy is brought up to date in a while. */
  changed(conversation: string | undefined) {
    if (!conversation || !this.copies.has(conversation)) return;
    if (!this.changes.size) setTimeout(() => void this.refresh().catch(() => {}), calm);
    this.changes.add(conversation);
  }

  private async refresh() {
    const changed = Array.from(this.changes).filter((id) => this.copies.has(id)); // without those that were let go of since
    this.changes.clear();
    if (!changed.length) return;
    const { refresh } = await import("../offline/keep");
    await refresh(changed);
  }

  private load() {
    const listed = read();
    this.copies.clear();
    if (listed?.user !== this.user) return;
    for (const [id, copy] of Object.entries(listed.copies)) this.copies.set(id, copy);
  }

  /** Whether somebody is still there for whom to keep something. */
  isFor = (user: string) => user !== "" && this.user === user;

  set(conversation: string, copy: Copy) {
    this.copies.set(conversation, copy);
    this.list();
  }

  /** Lets go of one conversation. */
  async remove(conversation: string) {
    this.copies.delete(conversation);
    this.shown.delete(conversation);
    this.list();
    await (await store()).remove(conversation);
  }

  /** Lets it lie: who was here is in another workspace. */
  rest() {
    this.user = "";
    this.copies.clear();
    this.shown.clear();
  }

  /** Deletes all of it: who was here signed out. */
  wipe() {
    this.rest();
    forgetKey(key);
    try {
      indexedDB.deleteDatabase(databaseName);
    } catch {
      // forbidden: nothing was kept
    }
  }

  private list() {
    remember(key, { ...read(), user: this.user, copies: Object.fromEntries(this.copies) } satisfies Listed); // else it is not there in the next visit
  }

  /** Asks the server; where that is not reached, takes what is kept, if it is. */
  async or<T>(asked: Promise<T>, take: (from: Awaited<ReturnType<typeof store>>) => Promise<T | undefined>): Promise<T> {
    try {
      return await asked;
    } catch (thrown) {
      if (!this.copies.size || !unreached.has(troubleOf(thrown).kind)) throw thrown;
      const kept = await store().then(take).catch(() => undefined);
      if (kept === undefined) throw thrown;
      return kept;
    }
  }

  /** The same for the messages of a conversation: the copy is shown as one. */
  async pageOr<T>(conversation: string, asked: Promise<T>, take: (from: Awaited<ReturnType<typeof store>>) => Promise<T | undefined>): Promise<T> {
    const copy = this.copies.get(conversation);
    let taken = false;
    const page = await this.or(asked, async (from) => {
      taken = true;
      return copy && take(from);
    });
    if (taken) this.shown.set(conversation, copy!);
    else this.shown.delete(conversation);
    return page;
  }

  /** The sound of a message; undefined when it is not kept. */
  sound(message: string): Promise<Blob | undefined> {
    if (!this.copies.size) return Promise.resolve(undefined);
    return store().then((from) => from.part(message)).then((part) => part?.sound, () => undefined);
  }
}

const read = () => recall<Listed>(key, ({ user, copies }) => typeof user === "string" && typeof copies === "object" && copies !== null);

export const kept = new Kept();

/** Whether a page that could not be read may be kept on a device. */
export const isUnreached = (trouble: Trouble) => unreached.has(trouble.kind);
