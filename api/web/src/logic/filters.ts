/* A search with its filters: as chips, in the address of the page, and in the API's words. */

export const spans = ["day", "week", "month", "year"] as const;
export type TimeSpan = (typeof spans)[number];

export interface Filters {
  q: string;
  conversation: string; // id; empty means all
  from: string; // id of a user; empty means all
  within: TimeSpan | ""; // how long ago at the most; empty means ever
  sort: "relevance" | "newest";
}

export const noFilters: Filters = { q: "", conversation: "", from: "", within: "", sort: "relevance" };

/** Reads them from the query of an address, which may hold anything. */
export function filtersOf(query: URLSearchParams): Filters {
  const within = query.get("within") ?? "";
  return {
    q: query.get("q") ?? "",
    conversation: query.get("conversation") ?? "",
    from: query.get("from") ?? "",
    within: (spans as readonly string[]).includes(within) ? (within as TimeSpan) : "",
    sort: query.get("sort") === "newest" ? "newest" : "relevance",
  };
}

/** The address of a search, with nothing in it that goes without saying. */
export function addressOf(filters: Filters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    if (value && value !== "relevance") query.set(name, value as string);
  }
  const text = query.toString();
  return text ? `/search?${text}` : "/search";
}

const days: Record<TimeSpan, number> = { day: 1, week: 7, month: 31, year: 366 };

/**
 * The words to look for; none while there are not enough of them. Marks, emoji
 * and what is only excluded are nothing to look for.
 */
export function wordsOf({ q }: Filters): string {
  const wanted = q.replace(/(^|\s)-(["“„«][^"”“»]*["”“»]?|\S*)/g, " ");
  return (wanted.match(/[\p{L}\p{N}]/gu)?.length ?? 0) >= 2 ? q.trim() : "";
}

/** Whether a search looks at some messages only, whatever its words. */
export const isLimited = ({ conversation, from, within }: Filters) => Boolean(conversation || from || within);

/** Whether there is something to find: words, or what a filter alone lists. */
export const isWorthAsking = (filters: Filters) => wordsOf(filters) !== "" || isLimited(filters);

/** The parameters of GET /v1/search. */
export function searchQuery(filters: Filters, now: Date, cursor?: string) {
  const q = wordsOf(filters);
  return {
    ...(q && { q }),
    sort: filters.sort,
    ...(filters.conversation && { conversation: filters.conversation }),
    ...(filters.from && { from: filters.from }),
    ...(filters.within && { after: new Date(now.getTime() - days[filters.within] * 86_400_000).toISOString() }),
    ...(cursor && { cursor }),
  };
}
