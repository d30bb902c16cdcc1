/*
 * Sends what waits on this device, a page at a time, two recordings at once:
 * now, when the network is back, or a while after it failed. What a page left
 * behind that went away is a draft. For a while sending can be undone.
 */
import { SvelteMap, SvelteSet } from "svelte/reactivity";

import { api, type Message, serverClock, take, Trouble, troubleOf } from "../api/client";
import { library } from "../state/library.svelte";
import { notices } from "../state/notices.svelte";
import { route } from "../state/route.svelte";
import { session } from "../state/session.svelte";
import { t } from "../words";
import { left as cutLeft } from "./cuts";
import { packetsOf } from "./ogg";
import { after, due, hurried, type Item, left, newItem, nextDue, settled, takenBack, undoMS, unsent } from "./queue";
import { send, type Sent } from "./send";
import { find, sendDraft, settle, withdraw } from "./settle";
import * as draftStore from "./draftStore";
import { isWebM, remux } from "./webm";

const atOnce = 2;
/** The lock of what a page is recording, which says that the page lives. */
export const lockOf = (id: string) => `hark-recording-${id}`;

const locked = <T>(name: string, options: LockOptions, run: (lock: Lock | null) => Promise<T>): Promise<T> =>
  navigator.locks ? (navigator.locks.request(name, options, run) as Promise<T>) : run({ name, mode: "exclusive" });

class Outbox {
  items = $state.raw<Item[]>([]);
  /** How far each is that is being sent, from 0 to 1. */
  readonly progress = new SvelteMap<string, number>();
  /** Those in hand, before and behind the sending itself too. */
  readonly sending = new SvelteSet<string>();
  /** Unfinished recordings whose page went away. */
  drafts = $state.raw<ReadonlySet<string>>(new Set());
  private readonly stops = new Map<string, AbortController>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private draining = false;
  private again = false;
  private started = false;

  /** Begins, once a page. */
  start() {
    if (this.started) return;
    this.started = true;
    session.whenOut(() => (this.items = [])); // they stay on the device
    draftStore.onChange(() => void this.read());
    addEventListener("online", () => void this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || void this.recover());
    navigator.serviceWorker?.addEventListener("message", (event) => event.data === "send" && this.drain());
    void this.recover();
  }

  /** Those that people see: not what is being spoken, nor what is thrown away. */
  unsent(): Item[] {
    return this.items.filter(({ id, phase }) => phase === "waiting" || phase === "refused" || (phase === "paused" && this.drafts.has(id)));
  }

  /** Sends a draft of the server, as soon as it can be reached. */
  async sendDraft(draft: Message) {
    await draftStore.put(ofDraft(draft, { id: `send-${draft.id}`, phase: "waiting", remote: true }));
    await this.read();
    this.drain();
  }

  /** Makes a copy here of a draft of the server, to go on with it; undefined when it can't be had. */
  async adopt(draft: Message): Promise<Item | undefined> {
    try {
      const answer = await fetch(draft.links.original);
      const body = await answer.arrayBuffer();
      if (!answer.ok || !packetsOf(new Uint8Array(body))) throw new Trouble("broken");
      const item = ofDraft(draft, { id: crypto.randomUUID(), mime: "audio/ogg", phase: "paused", bytes: body.byteLength });
      await draftStore.put(item, { n: 0, body });
      await this.read();
      return item;
    } catch (thrown) {
      notices.fail(thrown instanceof TypeError ? new Trouble("offline") : thrown);
      return undefined;
    }
  }

  /** Discards a draft of the server, as soon as it can be reached. */
  async discardDraft(draft: Message) {
    await this.takeBack(ofDraft(draft, { id: draft.id, phase: "gone" }));
    await this.read();
  }

  /** Makes a draft again of what was sent a moment ago. */
  async unsend(id: string) {
    const message = this.items.find((item) => item.id === id)?.sent?.message;
    if (!message) return;
    try {
      await take(api.POST("/v1/messages/{id}/unsend", { params: { path: { id: message } } }));
    } catch (thrown) {
      return notices.fail(thrown);
    }
    library.dropMessage(message);
    const item = await draftStore.change(id, (now) => unsent(now, crypto.randomUUID()));
    if (item?.remote) await draftStore.remove(id);
    await this.read();
    library.draftsChanged();
    if (item && !item.remote && route.place.name === "conversation" && route.place.id === item.conversation && joins(item.mime)) await (await import("./recorder.svelte")).recorder.reopen(item, false);
  }

  /** Puts files in the queue. */
  async add(conversation: string, files: readonly File[]) {
    for (const file of files) {
      const item = newItem({ id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, user: session.me!.id, conversation, name: file.name, mime: file.type, phase: "waiting", bytes: file.size });
      if (!(await draftStore.put(item, { n: 0, body: file }))) notices.say(t.outbox.noRoom(file.name), "bad");
    }
    await this.read();
    this.drain();
  }

  /** Sends one that waits for a word, or that was refused. */
  async retry(id: string) {
    await draftStore.change(id, hurried);
    await this.read();
    this.drain();
  }

  /** Throws one away, with what the server has of it. */
  async discard(item: Item) {
    this.stops.get(item.id)?.abort();
    await this.takeBack(item);
    await draftStore.remove(item.id);
    await this.read();
  }

  /** Has what the server has of a live recording deleted, as soon as it can be reached. */
  async takeBack(item: Item) {
    const gone = takenBack(item);
    if (!gone) return;
    await draftStore.put(gone);
    this.drain();
  }

  async read() {
    const all = await draftStore.all();
    const { held = [] } = (await navigator.locks?.query()) ?? {};
    const alive = new Set(held.map((lock) => lock.name));
    this.drafts = new Set(all.filter((item) => item.phase === "paused" && !alive.has(lockOf(item.id))).map((item) => item.id));
    this.items = all.filter((item) => item.user === session.me?.id).sort((a, b) => a.at.localeCompare(b.at));
  }

  /** Sends all that is due, unless another page does. */
  drain() {
    this.again = true;
    if (this.draining) return;
    this.draining = true;
    void locked("hark-outbox", {}, async () => {
      while (this.again) {
        this.again = false;
        await this.read();
        await this.sendDue();
      }
    })
      .catch(() => {}) // IndexedDB is gone for now; the next event tries again
      .finally(() => {
        this.draining = false;
        this.schedule();
      });
  }

  private async hurry() {
    for (const item of this.items) if (item.tries > 0) await draftStore.change(item.id, (now) => (now.phase === "refused" ? now : hurried(now)));
    this.drain();
  }

  private schedule() {
    clearTimeout(this.timer);
    const next = nextDue(this.items);
    if (next !== undefined) this.timer = setTimeout(() => this.drain(), Math.max(250, next - Date.now()));
    if (next !== undefined) void requestSync();
  }

  private async sendDue() {
    const running = new Set<Promise<void>>();
    const tried = new Set<string>();
    for (;;) {
      const item = due(this.items, Date.now()).find((one) => !tried.has(one.id));
      if (item && running.size < atOnce) {
        tried.add(item.id);
        const one: Promise<void> = this.one(item).finally(() => running.delete(one));
        running.add(one);
      } else if (running.size) await Promise.race(running);
      else return;
    }
  }

  private async one(item: Item) {
    const stop = new AbortController();
    this.stops.set(item.id, stop);
    this.sending.add(item.id);
    let sent: Sent;
    try {
      sent = await this.deliver(item, stop.signal);
      // Another tab may have switched to another workspace, where there is no such conversation.
      if (sent.outcome.kind === "refused" && (await take(api.GET("/v1/me"))).id !== item.user) {
        sent = { outcome: { kind: "unreached" } };
        session.check();
      }
    } catch (thrown) {
      const kind = troubleOf(thrown).kind;
      sent = { outcome: kind === "signed-out" ? { kind: "signed-out" } : { kind: "unreached" } };
    }
    const { outcome } = sent;
    this.stops.delete(item.id);
    this.progress.delete(item.id);
    this.sending.delete(item.id);
    if (outcome.kind === "signed-out") session.end();
    if (outcome.kind === "sent") await this.done(item, sent.message);
    else if (!stop.signal.aborted) await draftStore.change(item.id, (now) => after(now, outcome, Date.now(), Math.random()));
    await this.read();
  }

  /** Brings it to the server, by the live recording if that has all of it. */
  private async deliver(item: Item, stop: AbortSignal): Promise<Sent> {
    if (item.phase === "gone") {
      await withdraw(item.live!.message);
      return { outcome: { kind: "sent" } };
    }
    if (item.remote) {
      const message = await sendDraft(item.live!.message, item.title);
      return message ? { outcome: { kind: "sent" }, message } : { outcome: { kind: "refused", reason: t.outbox.draftGone } };
    }
    const message = item.live && (await settle(item));
    if (message) return { outcome: { kind: "sent" }, message };
    this.progress.set(item.id, 0);
    const sent = await send(await timed(item), await soundOf(item), (part) => this.progress.set(item.id, part), stop);
    // The copy is safe there: only now does what it stands in for go.
    if (sent.outcome.kind === "sent" && item.live) await withdraw(item.live.message);
    return sent;
  }

  /** It is on the server: what was spoken stays here for as long as that can be undone. */
  private async done(item: Item, message: Message | undefined) {
    if (message && !message.draft) library.sent(message);
    if (!message || item.name) return draftStore.remove(item.id);
    await draftStore.change(item.id, (now) => ({ ...now, phase: "sent", sent: { message: message.id, until: Date.now() + undoMS } }));
    notices.say(t.outbox.sent, "plain", { text: t.outbox.undo, run: () => void this.unsend(item.id) }, undoMS);
    setTimeout(() => void this.forget(item.id), 2 * undoMS);
  }

  /** Its sending can't be undone any more. */
  private async forget(id: string) {
    const item = await draftStore.change(id, (now) => now).catch(() => undefined);
    if (item?.phase === "sent") await draftStore.remove(id);
  }

  /**
   * Drafts of this device whose live recording is a draft no more: it was sent or
   * discarded on another. A copy that has no more than that goes, too.
   */
  async compare(drafts: ReadonlySet<string>) {
    for (const item of this.items) {
      const { id, live } = item;
      if (item.phase !== "paused" || !this.drafts.has(id) || !live || drafts.has(live.message)) continue;
      const message = await find(live.message);
      if (message?.draft || (!message && !library.conversation(item.conversation))) continue; // begun since, or all of the conversation is gone
      if (live.whole && !item.cuts.length) await draftStore.remove(id);
      else await draftStore.change(id, ({ live: _, ...copy }) => copy);
    }
    await this.read();
  }

  /** Takes up what pages left behind that went away. */
  private async recover() {
    await this.read().catch(() => {});
    for (const item of this.items) {
      const { id, phase } = item;
      if (settled(item, Date.now())) await draftStore.remove(id);
      if (phase !== "recording" && phase !== "paused") continue;
      await locked(lockOf(id), { ifAvailable: true }, async (lock) => {
        if (!lock) return; // another page records it
        const draft = await draftStore.change(id, (now) => left(now) ?? { ...now, bytes: 0 });
        if (draft?.bytes === 0) await draftStore.remove(id); // the live recording, if it has more, is a draft on the server
      });
    }
    this.drain();
  }
}

/** The item of a draft of the server, which has all of it. */
const ofDraft = (draft: Message, made: Pick<Item, "id" | "phase"> & Partial<Item>): Item =>
  newItem({
    user: session.me!.id, conversation: draft.conversation_id, title: draft.title, at: draft.recorded_at, ms: draft.duration_ms ?? 0,
    live: { session: "", message: draft.id, lead: 0, whole: true }, ...made,
  });

/** What is sent of an item: its parts in one, without what was cut. */
export async function soundOf(item: Item): Promise<Blob> {
  const parts = await draftStore.sound(item);
  const whole = new Blob(parts, { type: item.mime });
  if (parts.length < 2 && (!item.cuts.length || !isWebM(item.mime))) return whole;
  const joined = remux(await Promise.all(parts.map(async (part) => new Uint8Array(await part.arrayBuffer()))), item.cuts);
  return joined ? new Blob([joined], { type: item.mime }) : whole;
}

/** An item whose time is by the server's clock: for good, since each attempt to send it must say the same. */
async function timed(item: Item): Promise<Item> {
  if (!item.ownClock) return item;
  if (!serverClock.known) await take(api.GET("/v1/me"));
  const at = serverClock.corrected(new Date(item.at)).toISOString();
  return (await draftStore.change(item.id, ({ ownClock: _, ...known }) => ({ ...known, at }))) ?? item;
}

export const lengthOf = (item: Item) => cutLeft(item.ms, item.cuts);

/** Whether what is recorded here can be joined to a sound of this kind. */
export const joins = (mime: string) => (isWebM(mime) || mime === "audio/ogg") && typeof MediaRecorder !== "undefined" && MediaRecorder.isTypeSupported("audio/webm;codecs=opus");

/** Has the browser wake us when the network is back, where it can. */
async function requestSync() {
  const registration = await navigator.serviceWorker?.getRegistration();
  await (registration as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync?.register("hark-outbox").catch(() => {});
}

export const outbox = new Outbox();
