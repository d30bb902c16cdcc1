/* The rows of a conversation: messages from old to new, with the days between. */

export interface DayRow {
  kind: "day";
  key: string;
  at: string; // of the day's first message
}

export interface MessageRow {
  kind: "message";
  key: string;
  id: string;
  position: number; // among the messages, from 1
  follows: boolean; // soon after another of the same author, who need not be named again
}

export type Row = DayRow | MessageRow;

/** What of a message decides about its row. It never changes. */
interface Sent {
  created_at: string; // RFC 3339
  author: { id: string };
}

/** The same, as it is asked for again and again. */
export interface Known {
  day: string;
  at: number; // ms
  author: string;
}

/** Messages of one author with less than this between them stand together, in ms. */
const together = 5 * 60_000;

/**
 * @param newestFirst ids, the newest first
 * @param sentAs what is known of a message
 * @param known what was asked for before, kept between calls
 */
export function rows(newestFirst: readonly string[], sentAs: (id: string) => Sent | undefined, known = new Map<string, Known>()): Row[] {
  const laid: Row[] = [];
  let day = "";
  let before: Known | undefined;
  for (let i = newestFirst.length - 1; i >= 0; i--) {
    const id = newestFirst[i]!;
    let its = known.get(id);
    if (!its) {
      const sent = sentAs(id);
      if (sent) known.set(id, (its = knownOf(sent)));
    }
    if (its && its.day !== day) {
      day = its.day;
      laid.push({ kind: "day", key: `day before ${id}`, at: new Date(its.at).toISOString() });
      before = undefined;
    }
    const follows = its !== undefined && its.author === before?.author && Math.abs(its.at - before.at) < together;
    laid.push({ kind: "message", key: id, id, position: newestFirst.length - i, follows });
    before = its;
  }
  return laid;
}

function knownOf({ created_at, author }: Sent): Known {
  const date = new Date(created_at);
  return { day: `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`, at: date.getTime(), author: author.id };
}
