/* A search as it is typed: the last question asked is the one that is answered. */
import { api, type Conversation, type Hit, isAbort, serverClock, take, type Trouble, troubleOf, type User } from "../api/client";
import { type Filters, isWorthAsking, noFilters, searchQuery, wordsOf } from "../logic/filters";
import { library } from "./library.svelte";
import { session } from "./session.svelte";

const pauseInTyping = 140; // ms

class Search {
  /** Where one was when one went elsewhere, for who comes back. */
  left = { address: "", top: 0, chosen: -1 };
  hits = $state.raw<Hit[]>([]);
  conversations = $state.raw<Conversation[]>([]); // called by the words
  people = $state.raw<User[]>([]); // called by the words
  total = $state(0);
  capped = $state(false);
  corrected = $state<string>();
  more = $state<string>(); // cursor
  answered = $state(false); // whether what is shown answers a question
  words = $state(""); // that it answers; empty if a filter alone was asked
  busy = $state(false);
  trouble = $state.raw<Trouble>(); // there is no answer
  moreTrouble = $state.raw<Trouble>(); // there is, but it does not go on

  private waiting: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | undefined;
  private filters: Filters | undefined;

  constructor() {
    session.whenOut(() => this.soon(noFilters, false));
  }

  /** Asks soon, unless asked something else before. */
  soon(filters: Filters, typing: boolean) {
    clearTimeout(this.waiting);
    this.filters = filters;
    this.asking?.abort();
    if (!isWorthAsking(filters)) {
      this.clear();
      this.busy = false;
      return;
    }
    this.busy = true;
    this.waiting = setTimeout(() => void this.ask(filters), typing ? pauseInTyping : 0);
  }

  async readMore() {
    if (this.filters && this.more) await this.ask(this.filters, this.more);
  }

  again() {
    if (this.filters) this.soon(this.filters, false);
  }

  private clear() {
    this.hits = [];
    this.conversations = [];
    this.people = [];
    this.more = this.corrected = this.trouble = this.moreTrouble = undefined;
    this.answered = false;
    this.words = "";
  }

  private async ask(filters: Filters, cursor?: string) {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    this.moreTrouble = undefined;
    try {
      // How long ago is by the server's clock, which its first answer tells.
      if (filters.within && !serverClock.known) await take(api.GET("/v1/me", { signal: asking.signal }));
      const query = searchQuery(filters, serverClock.now(), cursor);
      const found = await take(api.GET("/v1/search", { params: { query }, signal: asking.signal }));
      for (const hit of found.hits) library.put(hit.message);
      if (cursor) this.hits = [...this.hits, ...found.hits];
      else {
        this.clear();
        Object.assign(this, { hits: found.hits, conversations: found.conversations, people: found.people, corrected: found.corrected });
        this.answered = true;
        this.words = wordsOf(filters);
      }
      this.total = found.total;
      this.capped = found.total_is_capped;
      this.more = found.next_cursor;
    } catch (thrown) {
      if (isAbort(thrown) || asking.signal.aborted) return;
      this.fail(troubleOf(thrown), cursor !== undefined);
    }
    this.busy = false;
  }

  /** What was found stays, where only the rest of it does not come. */
  private fail(trouble: Trouble, further: boolean) {
    if (!further) this.clear();
    this[further ? "moreTrouble" : "trouble"] = trouble;
    if (trouble.kind === "signed-out") session.end();
  }
}

/** The one search of the app. */
export const search = new Search();
