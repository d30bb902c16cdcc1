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
 * @param timeOf when a message was sent, RFC 3339
 */
export function rows(newestFirst: readonly string[], timeOf: (id: string) => string | undefined): Row[] {
  const laid: Row[] = [];
  let day = "";
  for (let i = newestFirst.length - 1; i >= 0; i--) {
    const id = newestFirst[i]!;
    const at = timeOf(id);
    if (at && dayKey(at) !== day) {
      day = dayKey(at);
      laid.push({ kind: "day", key: `day ${day}`, at });
    }
    laid.push({ kind: "message", key: id, id });
  }
  return laid;
}

function dayKey(at: string): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}
