/* A search as it is typed: the last question asked is the one that is answered. */
import { api, type Hit, isAbort, take, type Trouble, troubleOf } from "../api/client";
import { type Filters, isWorthAsking, searchQuery } from "../logic/filters";
import { library } from "./library.svelte";
import { session } from "./session.svelte";

const pauseInTyping = 140; // ms

class Search {
  /** Where one was when one went elsewhere, for who comes back. */
  left = { address: "", top: 0, chosen: -1 };
  hits = $state.raw<Hit[]>([]);
  total = $state(0);
  capped = $state(false);
  corrected = $state<string>();
  more = $state<string>(); // cursor
  asked = $state(""); // what the hits answer; empty before the first
  busy = $state(false);
  trouble = $state.raw<Trouble>();

  private waiting: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | undefined;
  private filters: Filters | undefined;

  /** Asks soon, unless asked something else before. */
  soon(filters: Filters, typing: boolean) {
    clearTimeout(this.waiting);
    this.filters = filters;
    if (!isWorthAsking(filters.q)) {
      this.asking?.abort();
      this.hits = [];
      this.asked = "";
      this.trouble = undefined;
      this.corrected = undefined;
      this.busy = false;
      return;
    }
    this.busy = true;
    this.waiting = setTimeout(() => void this.ask(filters, typing), typing ? pauseInTyping : 0);
  }

  async readMore() {
    if (this.filters && this.more) await this.ask(this.filters, false, this.more);
  }

  again() {
    if (this.filters) this.soon(this.filters, false);
  }

  private async ask(filters: Filters, typing: boolean, cursor?: string) {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    try {
      const query = searchQuery(filters, typing, new Date(), cursor);
      const found = await take(api.GET("/v1/search", { params: { query }, signal: asking.signal }));
      for (const hit of found.hits) library.put(hit.message);
      this.hits = cursor ? [...this.hits, ...found.hits] : found.hits;
      this.total = found.total;
      this.capped = found.total_is_capped;
      this.corrected = found.corrected;
      this.more = found.next_cursor;
      this.asked = filters.q.trim();
      this.trouble = undefined;
    } catch (thrown) {
      if (isAbort(thrown) || asking.signal.aborted) return;
      this.trouble = troubleOf(thrown);
      this.hits = [];
      this.asked = "";
      if (this.trouble.kind === "signed-out") session.end();
    }
    this.busy = false;
  }
}

/** The one search of the app. */
export const search = new Search();
