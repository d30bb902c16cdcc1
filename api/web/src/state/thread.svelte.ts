/*
 * The messages of one conversation, read page by page, both ways: a run without
 * holes that need not reach the newest. Where a message belongs only the server
 * knows: what arrives is read with its neighbours.
 */
import { type Message, type Trouble, troubleOf } from "../api/client";
import type { Place } from "../logic/heights";
import { stitch } from "../logic/stitch";

/** Where messages are kept. */
export interface MessageStore {
  put(message: Message): void;
}

export interface MessagePage {
  items: Message[]; // the newest first
  next_cursor?: string; // to what is older
  previous_cursor?: string; // to what is newer
}

/** Which page is wanted; the newest, if neither is named. */
export interface Wanted {
  cursor?: string;
  around?: string; // id of a message
}

type Lay = (page: MessagePage) => void;

/** What happened while a page was on its way. */
interface Since {
  arrived: Set<string>;
  gone: Set<string>;
}

/** What is being recorded takes its place when it is sent. */
const isSent = (message: Message) => message.state !== "recording";

export class Thread {
  /** Ids, the newest first. */
  ids = $state.raw<string[]>([]);
  phase = $state<"new" | "reading" | "idle">("new");
  trouble = $state.raw<Trouble>();
  /** At which end something could not be read: where there is trouble, but not with all. */
  end = $state<"older" | "newer">();
  complete = $state(false); // whether the first message of all is here
  live = $state(true); // whether the newest is here
  /** What was in view when one last scrolled, the rows of days too; undefined at the end. */
  place: Place | undefined;

  private older: string | undefined;
  private newer: string | undefined;
  private turn = 0; // of asking: an answer that comes after its turn is not wanted
  private asked: [Wanted, Lay, Thread["end"]] = [{}, (page) => this.renew(page), undefined];
  private settled: Promise<void> = Promise.resolve(); // when what somebody waits for has been read
  private dropped = false;
  private readonly flights = new Set<Since>();

  constructor(
    private readonly store: MessageStore,
    private readonly page: (wanted: Wanted) => Promise<MessagePage>,
  ) {}

  /** Reads the next page into the past, unless something is being read or that has failed. */
  async read() {
    if (this.phase === "new") await this.newest();
    else if (this.phase === "idle" && !this.complete && !this.trouble) await this.ask({ cursor: this.older }, (page) => this.append(page), "older");
  }

  /** The same the other way. */
  async readNewer() {
    if (this.phase === "idle" && !this.live && !this.trouble) await this.ask({ cursor: this.newer }, (page) => this.prepend(page), "newer");
  }

  /** Goes to a message, or to the newest if it is gone. */
  async open(id: string) {
    if (!this.ids.includes(id)) await this.ask({ around: id }, (page) => this.renew(page));
  }

  /** Goes to the newest message. */
  async newest() {
    if (this.phase === "new" || !this.live) await this.ask({}, (page) => this.renew(page));
  }

  /** Asks once more for what could not be had. */
  async again() {
    await this.ask(...this.asked);
  }

  /** All may have changed: reads what is shown afresh. Throws when that fails, and leaves what is shown. */
  async reread() {
    if (this.trouble) {
      await this.again();
      if (this.trouble) throw this.trouble as Trouble;
    }
    await this.quietly(async () => {
      const looked = this.place?.find(({ key }) => this.ids.includes(key))?.key;
      const take = await this.fetchAround(this.live && !this.place ? undefined : (looked ?? this.ids[this.ids.length >> 1]));
      return () => take((page) => this.replace(page));
    });
  }

  /** Something was said: the newest page tells what, unless the newest is out of sight. Throws like reread. */
  async sync() {
    await this.quietly(async () => {
      if (!this.live) return () => {};
      let take = await this.fetch({});
      // So much was said that the page does not meet what somebody looks at.
      if (this.place && !take.meets(this.ids)) take = await this.fetchAround(this.ids[0]);
      return () => take((page) => this.renew(page));
    });
  }

  /** A message was made here. It stands at the end until the server tells where it belongs. */
  add(message: Message) {
    if (!isSent(message)) return;
    for (const since of this.flights) since.arrived.add(message.id);
    if (this.phase !== "new" && this.live) this.lead(message.id);
  }

  remove(id: string) {
    for (const since of this.flights) since.gone.add(id);
    this.ids = this.ids.filter((other) => other !== id);
  }

  drop() {
    this.turn++;
    this.dropped = true;
    this.phase = "idle";
    this.ids = [];
    this.complete = true;
  }

  private async ask(wanted: Wanted, lay: Lay, end?: Thread["end"]) {
    const turn = ++this.turn;
    this.asked = [wanted, lay, end];
    this.phase = "reading";
    let settle = () => {};
    this.settled = new Promise((resolve) => (settle = resolve));
    try {
      const take = await this.fetch(wanted);
      if (turn === this.turn) {
        take(lay);
        this.trouble = this.end = undefined;
      }
    } catch (thrown) {
      if (turn === this.turn) {
        this.trouble = troubleOf(thrown);
        this.end = end;
      }
    }
    if (turn === this.turn) this.phase = "idle";
    settle();
    if (turn === this.turn && wanted.around && this.trouble?.kind === "missing") {
      this.ids = [];
      await this.ask({}, (page) => this.renew(page));
    }
  }

  /** Reads without a word beside what somebody waits for, and again when they went elsewhere meanwhile. */
  private async quietly(read: () => Promise<() => void>) {
    for (;;) {
      while (this.phase === "reading") await this.settled;
      if (this.phase === "new" || this.dropped) return;
      const { turn } = this;
      const lay = await read();
      if (turn === this.turn) return lay();
    }
  }

  /** The page around a message; the newest if it is gone. */
  private async fetchAround(id: string | undefined) {
    if (id === undefined) return this.fetch({});
    return this.fetch({ around: id }).catch((thrown: unknown) => {
      if (troubleOf(thrown).kind !== "missing") throw thrown;
      return this.fetch({});
    });
  }

  /** Asks for a page; returns a way to lay it, with what happened while it was on its way. */
  private async fetch(wanted: Wanted) {
    const since: Since = { arrived: new Set(), gone: new Set() };
    this.flights.add(since);
    try {
      const { items, ...cursors } = await this.page(wanted);
      const take = (lay: Lay) => {
        for (const message of items) this.store.put(message);
        lay({ items: items.filter((message) => isSent(message) && !since.gone.has(message.id)), ...cursors });
        if (this.live) since.arrived.forEach((id) => since.gone.has(id) || this.lead(id));
      };
      return Object.assign(take, { meets: (ids: readonly string[]) => !ids.length || items.some(({ id }) => ids.includes(id)) });
    } finally {
      this.flights.delete(since);
    }
  }

  /** A page that may stand anywhere: over the run where they meet, else instead of it. */
  private renew(page: MessagePage) {
    const ids = page.items.map(({ id }) => id);
    const laid = stitch(this.ids, { ids, before: page.previous_cursor !== undefined, after: page.next_cursor !== undefined });
    this.ids = laid?.ids ?? ids;
    if (!laid?.begins) this.newer = page.previous_cursor;
    if (!laid?.ends) this.older = page.next_cursor;
    this.settle();
  }

  private replace(page: MessagePage) {
    this.ids = page.items.map(({ id }) => id);
    this.newer = page.previous_cursor;
    this.older = page.next_cursor;
    this.settle();
  }

  private append(page: MessagePage) {
    const known = new Set(this.ids);
    this.ids = [...this.ids, ...page.items.map(({ id }) => id).filter((id) => !known.has(id))];
    this.older = page.next_cursor;
    this.settle();
  }

  private prepend(page: MessagePage) {
    const known = new Set(this.ids);
    this.ids = [...page.items.map(({ id }) => id).filter((id) => !known.has(id)), ...this.ids];
    this.newer = page.previous_cursor;
    this.settle();
  }

  private settle() {
    this.complete = this.older === undefined;
    this.live = this.newer === undefined;
  }

  private lead(id: string) {
    if (!this.ids.includes(id)) this.ids = [id, ...this.ids];
  }
}
