/* A list that is read page by page. An answer that comes late changes nothing of a newer one. */
import { type Trouble, troubleOf } from "../api/client";
import { session } from "./session.svelte";

interface Page<T> {
  items: T[];
  next_cursor?: string;
}

const fewPages = 4;

export class Paged<T extends { id: string }> {
  items = $state.raw<readonly T[]>();
  trouble = $state.raw<Trouble>();
  private next = $state<string>();
  private asked = $state(0); // questions without an answer
  private turn = 0; // counts what was read anew: an answer of before is late

  constructor(private readonly ask: (cursor?: string) => Promise<Page<T>>) {}

  get busy(): boolean {
    return this.asked > 0;
  }

  get more(): boolean {
    return this.next !== undefined;
  }

  /** Reads the list anew. What is shown stays until the answer is there. */
  read = () => {
    this.turn++;
    return this.take(undefined, (page) => {
      this.items = page.items;
      this.next = page.next_cursor;
    });
  };

  readMore = () =>
    this.take(this.next, (page) => {
      this.items = [...this.without(page.items), ...page.items];
      this.next = page.next_cursor;
    });

  /** Something is new, or another way: the first page is read anew, and what was read behind it stays. */
  renew = () =>
    this.items
      ? this.take(undefined, ({ items }) => {
          this.items = [...items, ...this.without(items)];
        })
      : this.read();

  /**
   * What is new is put before what is shown, for a list in which nothing else changes:
   * says how many. Where that is more than a few pages, the list is read anew.
   */
  catchUp = async (): Promise<number> => {
    const { turn } = this;
    const newest = this.items?.[0]?.id;
    const found: T[] = [];
    let cursor: string | undefined;
    let more = true;
    for (let pages = 0; more && pages < fewPages; pages++) {
      more = false;
      await this.take(cursor, ({ items, next_cursor }) => {
        const known = items.findIndex(({ id }) => id === newest);
        found.push(...(known < 0 ? items : items.slice(0, known)));
        cursor = next_cursor;
        more = known < 0 && next_cursor !== undefined;
      });
    }
    if (turn !== this.turn || this.trouble) return 0;
    if (more || newest === undefined) await this.read();
    else this.items = [...found, ...this.items!];
    return found.length;
  };

  /** Something is another way now, if it is shown. */
  put(item: T) {
    this.items = this.items?.map((one) => (one.id === item.id ? item : one));
  }

  private without(items: readonly T[]): T[] {
    const ids = new Set(items.map(({ id }) => id));
    return (this.items ?? []).filter(({ id }) => !ids.has(id));
  }

  private async take(cursor: string | undefined, then: (page: Page<T>) => void) {
    const { turn } = this;
    this.asked++;
    try {
      const page = await this.ask(cursor);
      if (turn !== this.turn) return;
      then(page);
      this.trouble = undefined;
    } catch (thrown) {
      if (turn !== this.turn) return;
      this.trouble = troubleOf(thrown);
      if (this.trouble.kind === "signed-out") session.end();
      if (this.trouble.code === "forbidden") session.check(); // one's role may have changed
    } finally {
      this.asked--;
    }
  }
}
