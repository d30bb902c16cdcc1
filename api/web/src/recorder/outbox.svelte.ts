/*
 * Sends what waits on this device, a page at a time, two recordings at once:
 * now, when the network is back, or a while after it failed. What a page left
 * behind that went away is taken up by the next.
 */
import { SvelteMap, SvelteSet } from "svelte/reactivity";

import { troubleOf } from "../api/client";
import { library } from "../state/library.svelte";
import { notices } from "../state/notices.svelte";
import { session } from "../state/session.svelte";
import { t } from "../words";
import { left as cutLeft } from "./cuts";
import { after, due, hurried, type Item, left, nextDue, type Outcome, takenBack } from "./queue";
import { send } from "./send";
import { settle, withdraw } from "./settle";
import * as shelf from "./shelf";
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
  /** Paused recordings whose page went away. */
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
    shelf.onChange(() => void this.read());
    addEventListener("online", () => void this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || void this.recover());
    navigator.serviceWorker?.addEventListener("message", (event) => event.data === "send" && this.drain());
    void this.recover();
  }

  /** Those that people see: not what is being spoken, nor what is thrown away. */
  unsent(): Item[] {
    return this.items.filter(({ id, phase }) => phase === "waiting" || phase === "refused" || (phase === "paused" && this.drafts.has(id)));
  }

  /** Puts files in the queue. */
  async add(conversation: string, files: readonly File[]) {
    for (const file of files) {
      const item: Item = {
        id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, user: session.me!.id, conversation, title: "", name: file.name, mime: file.type, at: "",
        phase: "waiting", ms: 0, bytes: file.size, cuts: [], tries: 0, notBefore: 0, reason: "",
      };
      if (!(await shelf.put(item, { n: 0, body: file }))) notices.say(t.outbox.noRoom(file.name), "bad");
    }
    await this.read();
    this.drain();
  }

  /** Sends one that waits for a word, or that was refused. */
  async retry(id: string) {
    await shelf.change(id, hurried);
    await this.read();
    this.drain();
  }

  /** Throws one away, with what the server has of it. */
  async discard(item: Item) {
    this.stops.get(item.id)?.abort();
    await this.takeBack(item);
    await shelf.remove(item.id);
    await this.read();
  }

  /** Has what the server has of a live recording deleted, as soon as it can be reached. */
  async takeBack(item: Item) {
    const gone = takenBack(item);
    if (!gone) return;
    await shelf.put(gone);
    this.drain();
  }

  async read() {
    const all = await shelf.all();
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
    for (const item of this.items) if (item.tries > 0) await shelf.change(item.id, (now) => (now.phase === "refused" ? now : hurried(now)));
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
    let outcome: Outcome;
    try {
      outcome = await this.deliver(item, stop.signal);
    } catch (thrown) {
      const kind = troubleOf(thrown).kind;
      outcome = kind === "signed-out" ? { kind: "signed-out" } : { kind: "unreached" };
    }
    this.stops.delete(item.id);
    this.progress.delete(item.id);
    this.sending.delete(item.id);
    if (outcome.kind === "signed-out") session.end();
    if (outcome.kind === "sent") await shelf.remove(item.id);
    else if (!stop.signal.aborted) await shelf.change(item.id, (now) => after(now, outcome, Date.now(), Math.random()));
    await this.read();
  }

  /** Brings it to the server, by the live recording if that has all of it. */
  private async deliver(item: Item, stop: AbortSignal): Promise<Outcome> {
    if (item.phase === "gone") {
      await withdraw(item.live!.message);
      return { kind: "sent" };
    }
    if (item.live) {
      const message = await settle(item);
      if (message) {
        this.arrived(message);
        return { kind: "sent" };
      }
    }
    this.progress.set(item.id, 0);
    const { outcome, message } = await send(item, await soundOf(item), (part) => this.progress.set(item.id, part), stop);
    if (outcome.kind === "sent") {
      // The copy is safe there: only now does what it stands in for go.
      if (item.live) await withdraw(item.live.message);
      this.arrived(message!);
    }
    return outcome;
  }

  private arrived(message: Parameters<typeof library.put>[0]) {
    library.put(message);
    library.thread(message.conversation_id).add(message);
  }

  /** Takes up what pages left behind that went away. */
  private async recover() {
    await this.read().catch(() => {});
    for (const { id, phase } of this.items) {
      if (phase !== "recording" && phase !== "paused") continue;
      await locked(lockOf(id), { ifAvailable: true }, async (lock) => {
        if (!lock) return; // another page records it
        const item = await shelf.change(id, (now) => left(now) ?? { ...now, bytes: 0 });
        if (item?.bytes === 0) await shelf.remove(id); // the live recording, if it has more, stays
        else if (item?.phase === "waiting") notices.say(t.outbox.recovered);
        else if (item?.live) {
          await this.takeBack(item); // nobody said to send it
          await shelf.change(id, ({ live: _, ...draft }) => draft);
        }
      });
    }
    this.drain();
  }
}

/** What is sent of an item: without what was cut. */
export async function soundOf(item: Item): Promise<Blob> {
  const whole = await shelf.sound(item);
  if (!item.cuts.length || !isWebM(item.mime)) return whole;
  const cut = remux(new Uint8Array(await whole.arrayBuffer()), item.cuts);
  return cut ? new Blob([cut], { type: item.mime }) : whole;
}

export const lengthOf = (item: Item) => cutLeft(item.ms, item.cuts);

/** Has the browser wake us when the network is back, where it can. */
async function requestSync() {
  const registration = await navigator.serviceWorker?.getRegistration();
  await (registration as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync?.register("hark-outbox").catch(() => {});
}

export const outbox = new Outbox();
