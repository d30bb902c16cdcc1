/* Pages of a long list, put together to one run without holes. */

/** A page of ids that was read afresh, and whether there is more on either side of it. */
export interface Page {
  ids: readonly string[];
  before: boolean; // something stands before its first
  after: boolean; // something stands behind its last
}

export interface Stitched {
  ids: string[];
  /** Whether the run still begins, and ends, where it did. */
  begins: boolean;
  ends: boolean;
}

/**
 * Lays a page over the part of a run that it shows anew; undefined if they do
 * not meet. What stands beyond an end of the list is gone.
 */
export function stitch(run: readonly string[], page: Page): Stitched | undefined {
  const fresh = new Set(page.ids);
  const from = run.findIndex((id) => fresh.has(id));
  if (from < 0) return undefined;
  const to = run.findLastIndex((id) => fresh.has(id));
  const head = page.before ? run.slice(0, from) : [];
  const tail = page.after ? run.slice(to + 1) : [];
  return { ids: [...head, ...page.ids, ...tail], begins: head.length > 0, ends: tail.length > 0 };
}
