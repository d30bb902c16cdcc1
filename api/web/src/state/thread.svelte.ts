/*
 * The messages of one conversation, read page by page, both ways: a run without
 * holes that need not reach the newest. What arrives is added while it does;
 * else it comes with the page that it is on.
 */
import { type Message, type Trouble, troubleOf } from "../api/client";
import { stitch } from "../logic/stitch";

/** Where messages are kept. */
export interface Shelf {
  put(message: Message): void;
  readonly messages: { get(id: string): Message | undefined };
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

export class Thread {
  /** Ids, the newest first. */
  ids = $state.raw<string[]>([]);
  phase = $state<"new" | "reading" | "idle">("new");
  trouble = $state.raw<Trouble>();
  complete = $state(false); // whether the first message of all is here
  live = $state(true); // whether the newest is here
  /** Where one looked when one went elsewhere; undefined at the end. */
  place: { key: string; gap: number } | undefined;

  private older: string | undefined;
  private newer: string | undefined;
  private turn = 0; // of asking: an answer that comes after its turn is not wanted
  private asked: [Wanted, Lay] = [{}, (page) => this.renew(page)];
  private old = false; // whether to read again when this has been read
  private readonly since = { arrived: new Set<string>(), gone: new Set<string>() }; // while it is being read

  constructor(
    private readonly shelf: Shelf,
    private readonly page: (wanted: Wanted) => Promise<MessagePage>,
  ) {}

  /** Reads the next page into the past, unless something is being read. */
  async read() {
    if (this.phase === "new") await this.newest();
    else if (this.phase === "idle" && !this.complete) await this.ask({ cursor: this.older }, (page) => this.append(page));
  }

  /** The same the other way. */
  async readNewer() {
    if (this.phase === "idle" && !this.live) await this.ask({ cursor: this.newer }, (page) => this.prepend(page));
  }

  /** Goes to a message, or to the newest if it is gone. */
  async open(id: string) {
    if (!this.ids.includes(id)) await this.ask({ around: id }, (page) => this.renew(page));
  }

  /** Goes to the newest message. */
  async newest() {
    if (this.phase === "new" || !this.live) await this.ask({}, (page) => this.renew(page));
  }

  /** Reads what is shown again, since something may have been missed. */
  async reread() {
    if (this.phase === "reading") this.old = true;
    else if (this.phase === "idle") await this.ask(this.live ? {} : { around: this.ids[this.ids.length >> 1] }, (page) => this.renew(page));
  }

  /** Asks once more for what could not be had. */
  async again() {
    await this.ask(...this.asked);
  }

  add(message: Message) {
    this.since.arrived.add(message.id);
    if (this.phase !== "new" && this.live) this.insert(message.id);
  }

  remove(id: string) {
    this.since.gone.add(id);
    this.ids = this.ids.filter((other) => other !== id);
  }

  drop() {
    this.turn++;
    this.ids = [];
    this.complete = true;
  }

  private async ask(wanted: Wanted, lay: Lay) {
    const turn = ++this.turn;
    this.asked = [wanted, lay];
    this.phase = "reading";
    this.since.arrived.clear();
    this.since.gone.clear();
    try {
      const page = await this.page(wanted);
      if (turn !== this.turn) return;
      this.take(page, lay);
      this.trouble = undefined;
    } catch (thrown) {
      if (turn !== this.turn) return;
      this.trouble = troubleOf(thrown);
    }
    this.phase = "idle";
    if (wanted.around && this.trouble?.kind === "missing") {
      this.ids = [];
      await this.ask({}, (page) => this.renew(page));
    }
    if (!this.old) return;
    this.old = false;
    await this.reread();
  }

  /** Lays a page, with what happened while it was on its way. */
  private take({ items, ...cursors }: MessagePage, lay: Lay) {
    const { arrived, gone } = this.since;
    for (const message of items) this.shelf.put(message);
    lay({ items: items.filter(({ id }) => !gone.has(id)), ...cursors });
    if (this.live) arrived.forEach((id) => gone.has(id) || this.insert(id));
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

  /** Puts a message where it belongs by its time, most often first. */
  private insert(id: string) {
    if (this.ids.includes(id)) return;
    const time = (one: string) => this.shelf.messages.get(one)?.created_at ?? "";
    const own = time(id);
    const before = this.ids.findIndex((other) => time(other) <= own);
    this.ids = this.ids.toSpliced(before < 0 ? this.ids.length : before, 0, id);
  }
}
