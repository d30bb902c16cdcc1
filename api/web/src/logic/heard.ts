/* What was played of messages, until the server knows it. */

/** A stretch of a message in ms: its end is not in it. */
export type Stretch = readonly [from: number, to: number];

export interface Played {
  ranges: readonly Stretch[];
  at: number; // where one was last, in ms
}

/** By the ids of messages. */
export type PlayedAll = Readonly<Record<string, Played>>;

/** So many stretches of one message, and so many messages, go into one call. */
const mostRanges = 200;
const mostMessages = 100;
const mostInCall = 1000; // stretches: browsers let 64 KiB go out so

/** Stretches in order, none of which touches the next. */
export function joined(ranges: readonly Stretch[]): Stretch[] {
  const out: [number, number][] = [];
  for (const [from, to] of ranges.toSorted(([one], [other]) => one - other)) {
    const last = out.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (from < to) out.push([from, to]);
  }
  return out.slice(-mostRanges);
}

/** What was played before, and later. */
export function withPlayed(before: PlayedAll, later: PlayedAll): PlayedAll {
  const all = { ...before };
  for (const [id, { ranges, at }] of Object.entries(later)) all[id] = { ranges: joined([...(before[id]?.ranges ?? []), ...ranges]), at };
  return all;
}

/** What of it is not among what was sent, by what it says. */
export function without(all: PlayedAll, sent: PlayedAll): PlayedAll {
  return Object.fromEntries(Object.entries(all).filter(([id, played]) => JSON.stringify(played) !== JSON.stringify(sent[id])));
}

/** What goes into one call, which has to be small enough to go out while the page goes away. */
export function batchOf(all: PlayedAll): PlayedAll {
  let room = mostInCall;
  return Object.fromEntries(Object.entries(all).slice(0, mostMessages).filter(([, { ranges }]) => (room -= ranges.length) >= 0));
}

const isStretch = (value: unknown): value is Stretch => Array.isArray(value) && value.length === 2 && value.every((ms) => Number.isSafeInteger(ms) && ms >= 0);

/** Whether what this browser remembers is of this form. */
export const isPlayedAll = (value: unknown): value is PlayedAll =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).every((one: Partial<Played> | null) => Array.isArray(one?.ranges) && one.ranges.every(isStretch) && Number.isSafeInteger(one.at) && one.at! >= 0);
