import { beforeEach, describe, expect, it } from "vitest";

import { type Message, Trouble } from "../api/client";
import { type MessagePage, Thread, type Wanted } from "./thread.svelte";

/** A server that keeps messages 0 to 99, and answers when it is told to. */
const kept = new Map<string, Message>();
const said = (n: number) => ({ id: `m${n}`, created_at: `2026-01-01T00:00:00.${String(n).padStart(3, "0")}Z` }) as Message;
let all: Message[]; // the newest first
let waiting: { wanted: Wanted; answer: () => Promise<void> }[];
let thread: Thread;

function pageOf({ around, cursor }: Wanted): MessagePage {
  let from = 0;
  if (around) {
    from = all.findIndex(({ id }) => id === around) - 5;
    if (from < -5) throw new Trouble("missing");
  }
  if (cursor?.startsWith("older ")) from = all.findIndex(({ id }) => id === cursor.slice(6)) + 1;
  let to = from + 10;
  if (cursor?.startsWith("newer ")) {
    to = all.findIndex(({ id }) => id === cursor.slice(6));
    from = to - 10;
  }
  const items = all.slice(Math.max(0, from), to);
  return {
    items,
    ...(to < all.length && { next_cursor: `older ${items.at(-1)!.id}` }),
    ...(from > 0 && { previous_cursor: `newer ${items[0]!.id}` }),
  };
}

/** Answers what was asked first, as things stand now or stood then. */
async function answer(then?: () => void) {
  const asked = waiting.shift()!;
  const answered = asked.answer();
  then?.();
  await answered;
  await new Promise((resolve) => setTimeout(resolve)); // what follows from it
}
const numbers = () => thread.ids.map((id) => Number(id.slice(1)));
const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i);
function arrive(n: number) {
  all.unshift(said(n));
  kept.set(`m${n}`, said(n));
  thread.add(said(n));
}

beforeEach(() => {
  all = range(99, 0).map(said);
  waiting = [];
  kept.clear();
  const shelf = { messages: kept, put: (message: Message) => void kept.set(message.id, message) };
  thread = new Thread(
    shelf,
    (wanted) =>
      new Promise((resolve, reject) => {
        waiting.push({
          wanted,
          answer: () => {
            try {
              resolve(pageOf(wanted));
            } catch (thrown) {
              reject(thrown as Error);
            }
            return Promise.resolve();
          },
        });
      }),
  );
});

describe("Thread", () => {
  it("begins at the newest and goes back", async () => {
    void thread.read();
    await answer();
    expect([numbers(), thread.live, thread.complete]).toEqual([range(99, 90), true, false]);
    void thread.read();
    void thread.read(); // is being read
    await answer();
    expect(waiting).toEqual([]);
    expect(numbers()).toEqual(range(99, 80));
  });

  it("begins in the middle and goes both ways to the ends", async () => {
    void thread.open("m20");
    await answer();
    expect([numbers(), thread.live, thread.complete]).toEqual([range(25, 16), false, false]);
    for (const step of [() => thread.read(), () => thread.readNewer()]) {
      for (let i = 0; i < 12; i++) {
        void step();
        if (waiting.length) await answer();
      }
    }
    expect([numbers(), thread.live, thread.complete]).toEqual([range(99, 0), true, true]);
  });

  it("adds what arrives only where it belongs", async () => {
    void thread.open("m20");
    await answer();
    arrive(100);
    expect(numbers()).toEqual(range(25, 16));
    void thread.newest();
    await answer();
    expect(numbers()).toEqual(range(100, 91));
    arrive(102);
    arrive(101); // comes late
    expect(numbers()).toEqual(range(102, 91));
  });

  it("loses nothing that happens while a page is on its way", async () => {
    void thread.open("m93");
    await answer();
    void thread.readNewer();
    await answer(() => arrive(100)); // after the page was made
    expect([numbers(), thread.live]).toEqual([range(100, 89), true]);
    void thread.read();
    await answer(() => thread.remove("m85"));
    expect(numbers()).toEqual(range(100, 79).filter((n) => n !== 85));
  });

  it("does not glue on what was asked before it went elsewhere", async () => {
    void thread.read();
    await answer();
    void thread.read();
    void thread.open("m20");
    await answer();
    await answer();
    expect(numbers()).toEqual(range(25, 16));
  });

  it("reads again what is shown, after what is being read", async () => {
    void thread.open("m20");
    void thread.reread();
    await answer();
    all = all.filter(({ id }) => id !== "m21");
    expect(waiting.map(({ wanted }) => wanted)).toEqual([{ around: "m20" }]);
    await answer();
    expect(numbers()).toEqual(range(26, 16).filter((n) => n !== 21));
  });

  it("shows the newest instead of what is gone", async () => {
    void thread.open("m500");
    await answer();
    await answer();
    expect([numbers(), thread.trouble]).toEqual([range(99, 90), undefined]);
  });
});
