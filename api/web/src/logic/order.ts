/* The order in which the API lists conversations: the last active first, then by id. Times are compared as numbers: as texts 05.1Z comes before 05Z. */
import type { Conversation } from "../api/client";

const active = (c: Conversation) => Date.parse(c.last_message_at ?? c.created_at);

export function byActivity(a: Conversation, b: Conversation): number {
  return active(b) - active(a) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

export interface Run {
  items: readonly Conversation[];
  more?: string; // cursor behind the last
}

/** A first page that was read afresh, with those behind it that were read before. */
export function renewed(before: Run, page: Run): Run {
  const last = page.items.at(-1);
  if (!page.more || !last) return page;
  const fresh = new Set(page.items.map(({ id }) => id));
  const behind = before.items.filter((one) => !fresh.has(one.id) && byActivity(last, one) < 0);
  if (!behind.length) return page;
  return { items: [...page.items, ...behind], ...(before.more && { more: before.more }) };
}
