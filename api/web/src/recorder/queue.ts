/*
 * Recordings on this device that are not on the server yet, and what comes next
 * for each. Nothing here does anything; the outbox does.
 */
import type { Cut } from "./cuts";
import type { Live } from "./decide";

export type Phase =
  | "recording" // somebody speaks; if its page goes away, it is a draft
  | "paused" // a draft: until somebody says to send it
  | "waiting" // to be sent
  | "sent" // and kept for as long as that can be undone
  | "refused" // the server will not have it, as it is
  | "gone"; // thrown away here; what the server has of it is to be, too

export interface Item {
  id: string;
  key?: string; // the idempotency key, where it is not the id
  user: string;
  conversation: string;
  title: string;
  name: string; // of the file; empty for what was spoken here
  mime: string;
  at: string; // when it was recorded (RFC 3339); empty for files
  ownClock?: boolean; // at is by the device's clock, since the server had not told its own
  phase: Phase;
  ms: number; // how much was recorded; 0 for files
  bytes: number;
  parts?: number[]; // the first pieces of what was recorded when it was gone on with
  cuts: Cut[];
  live?: Live;
  remote?: boolean; // a draft of the server, whose sound is there alone
  sent?: { message: string; until: number }; // the message that it became, and when that can't be undone any more (Unix ms)
  tries: number; // that failed
  notBefore: number; // Unix ms of the next try
  reason: string; // why it is refused, or must be tried again, in the server's words
}

/** An item of which nothing has been tried yet: that of a file, but for what is said otherwise. */
export const newItem = (made: Pick<Item, "id" | "user" | "conversation" | "phase"> & Partial<Item>): Item => ({
  title: "", name: "", mime: "", at: "", ms: 0, bytes: 0, cuts: [], tries: 0, notBefore: 0, reason: "", ...made,
});

export type Outcome = { kind: "sent" } | { kind: "unreached"; wait?: number; reason?: string } | { kind: "signed-out" } | { kind: "refused"; reason: string };

const firstPause = 2000;
const longestPause = 5 * 60_000;

/** How long to wait after so many tries that failed; jitter is from 0 to 1. */
export const pauseAfter = (tries: number, jitter: number) => Math.min(longestPause, firstPause * 2 ** Math.min(tries - 1, 20)) * (0.75 + jitter / 2);

const waits = (item: Item) => item.phase === "waiting" || item.phase === "gone";

/** What is due, the oldest first. */
export const due = (items: readonly Item[], now: number) => items.filter((item) => waits(item) && item.notBefore <= now);

/** When something is due next; undefined when nothing waits. */
export function nextDue(items: readonly Item[]): number | undefined {
  const times = items.filter(waits).map((item) => item.notBefore);
  return times.length ? Math.min(...times) : undefined;
}

/** The item after a try; undefined when it is done with. */
export function after(item: Item, outcome: Outcome, now: number, jitter: number): Item | undefined {
  switch (outcome.kind) {
    case "sent":
      return undefined;
    case "refused":
      return { ...item, phase: "refused", reason: outcome.reason };
    default: {
      const tries = item.tries + 1;
      const { wait = 0, reason = "" } = outcome.kind === "unreached" ? outcome : {};
      return { ...item, tries, notBefore: now + Math.max(wait, pauseAfter(tries, jitter)), reason };
    }
  }
}

/** Sent again now, because somebody asked or the network is back. */
export const hurried = (item: Item): Item => ({ ...item, phase: item.phase === "gone" ? "gone" : "waiting", tries: 0, notBefore: 0, reason: "" });

/** What is left to do about a live recording that nobody is to hear. */
export const takenBack = (item: Item): Item | undefined =>
  item.live && { ...hurried(item), id: `gone-${item.live.message}`, phase: "gone", title: "", bytes: 0, cuts: [] };

/** What becomes of a recording whose page went away; undefined: there is nothing in it. */
export function left(item: Item): Item | undefined {
  if (item.bytes === 0) return undefined;
  if (item.phase === "recording") return { ...item, phase: "paused" };
  return item;
}

/** How long sending can be undone, and how long the copy is kept for that, in ms. */
export const undoMS = 10_000;
const keptMS = 2 * undoMS;

/** A draft again. What is sent the next time is another request. */
export function unsent(item: Item, key: string): Item {
  const { sent, ...rest } = item;
  if (!sent) return item;
  const live = rest.live?.message === sent.message ? { ...rest.live, session: "" } : { session: "", message: sent.message, lead: 0, whole: true };
  return { ...rest, key, live, phase: "paused" };
}

/** Whether a copy is kept no longer for its sending to be undone, even if the clock was set meanwhile. */
export const settled = ({ phase, sent }: Item, now: number) => phase === "sent" && Math.abs((sent?.until ?? 0) - now) > keptMS;

/** What an answer to an upload means. retryAfter is its header, in seconds, if there is one. */
export function outcomeOf(status: number, detail: string, retryAfter = ""): Outcome {
  if (status >= 200 && status < 300) return { kind: "sent" };
  if (status === 401) return { kind: "signed-out" };
  if (status === 0 || status === 408 || status === 425 || status === 429 || status >= 500) return { kind: "unreached", wait: Math.min(longestPause, 1000 * (Number(retryAfter) || 0)), reason: detail };
  return { kind: "refused", reason: detail };
}
