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
}

export type Row = DayRow | MessageRow;

/**
 * @param newestFirst ids, the newest first
 * @param timeOf when a message was sent, RFC 3339; it never changes
 * @param days the day of each message that was asked for before, kept between calls
 */
export function rows(newestFirst: readonly string[], timeOf: (id: string) => string | undefined, days = new Map<string, string>()): Row[] {
  const laid: Row[] = [];
  let day = "";
  for (let i = newestFirst.length - 1; i >= 0; i--) {
    const id = newestFirst[i]!;
    let its = days.get(id);
    if (its === undefined) days.set(id, (its = dayKey(timeOf(id))));
    if (its && its !== day) {
      day = its;
      laid.push({ kind: "day", key: `day ${day}`, at: timeOf(id)! });
    }
    laid.push({ kind: "message", key: id, id });
  }
  return laid;
}

function dayKey(at: string | undefined): string {
  if (!at) return "";
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}
