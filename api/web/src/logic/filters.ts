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

/** The parameters of GET /v1/search. */
export function searchQuery(filters: Filters, typing: boolean, now: Date, cursor?: string) {
  return {
    q: filters.q.trim(),
    sort: filters.sort,
    ...(filters.conversation && { conversation: filters.conversation }),
    ...(filters.from && { from: filters.from }),
    ...(filters.within && { after: new Date(now.getTime() - days[filters.within] * 86_400_000).toISOString() }),
    ...(typing && { typing: true }),
    ...(cursor && { cursor }),
  };
}

/** Whether there is enough to search for. */
export const isWorthAsking = (q: string) => Array.from(q.trim().replace(/["*-]/g, "")).length >= 2;
