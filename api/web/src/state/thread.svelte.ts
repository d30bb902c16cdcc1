/* The messages of one conversation, read page by page into the past. */
import { api, type Message, take, type Trouble, troubleOf } from "../api/client";

interface Shelf {
  put(message: Message): void;
}

const pageSize = 50;

export class Thread {
  /** Ids, the newest first. */
  ids = $state.raw<string[]>([]);
  phase = $state<"new" | "reading" | "idle">("new");
  trouble = $state.raw<Trouble>();
  complete = $state(false); // whether the first message of all is here
  private cursor: string | undefined;

  constructor(
    readonly id: string,
    private readonly shelf: Shelf,
  ) {}

  /** Reads the next page into the past, unless it is being read. */
  async read() {
    if (this.phase === "reading" || this.complete) return;
    this.phase = "reading";
    try {
      this.append(await this.page(this.cursor));
      this.trouble = undefined;
    } catch (thrown) {
      this.trouble = troubleOf(thrown);
    }
    this.phase = "idle";
  }

  /** Reads the newest page again and drops what may have holes before it. */
  async reread() {
    if (this.phase === "new") return;
    try {
      const page = await this.page(undefined);
      const overlaps = page.items.some((m) => this.ids.includes(m.id));
      if (overlaps && page.next_cursor) {
        const fresh = new Set(page.items.map((m) => m.id));
        const oldest = page.items.at(-1)!.id;
        const known = this.ids.indexOf(oldest);
        for (const message of page.items) this.shelf.put(message);
        this.ids = [...fresh, ...(known < 0 ? [] : this.ids.slice(known + 1).filter((id) => !fresh.has(id)))];
        return;
      }
      this.ids = [];
      this.complete = false;
      this.append(page);
      this.trouble = undefined;
    } catch (thrown) {
      this.trouble = troubleOf(thrown);
    }
  }

  add(message: Message) {
    if (this.phase === "new" || this.ids.includes(message.id)) return;
    this.ids = [message.id, ...this.ids];
  }

  remove(id: string) {
    this.ids = this.ids.filter((other) => other !== id);
  }

  drop() {
    this.ids = [];
    this.complete = true;
  }

  private page(cursor: string | undefined) {
    return take(api.GET("/v1/conversations/{id}/messages", {
      params: { path: { id: this.id }, query: { limit: pageSize, ...(cursor && { cursor }) } },
    }));
  }

  private append(page: { items: Message[]; next_cursor?: string }) {
    for (const message of page.items) this.shelf.put(message);
    const known = new Set(this.ids);
    this.ids = [...this.ids, ...page.items.map((m) => m.id).filter((id) => !known.has(id))];
    this.cursor = page.next_cursor;
    this.complete = !page.next_cursor;
  }
}
