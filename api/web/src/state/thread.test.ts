import { beforeEach, describe, expect, it } from "vitest";

import { type Message, Trouble } from "../api/client";
import { type MessagePage, Thread, type Wanted } from "./thread.svelte";

/** A server that keeps messages 0 to 99, and answers when it is told to. */
const kept = new Map<string, Message>();
const said = (n: number) => ({ id: `m${n}`, created_at: `2026-01-01T00:00:00.${String(n).padStart(3, "0")}Z` }) as Message;
let all: Message[]; // the newest first
let waiting: { wanted: Wanted; answer: () => Promise<void> }[];
let refuse: boolean; // the network is down
let thread: Thread;

function pageOf({ around, cursor }: Wanted): MessagePage {
  if (refuse) throw new Trouble("offline");
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
  await settled(); // what follows from it
}
const settled = () => new Promise((resolve) => setTimeout(resolve));
const numbers = () => thread.ids.map((id) => Number(id.slice(1)));
const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i);
/** It was said, somewhere else. */
function happen(n: number) {
  all.unshift(said(n));
}
/** It was made here. */
function make(n: number) {
  all.unshift(said(n));
  thread.add(said(n));
}

beforeEach(() => {
  all = range(99, 0).map(said);
  waiting = [];
  refuse = false;
  kept.clear();
  const store = { put: (message: Message) => void kept.set(message.id, message) };
  thread = new Thread(
    store,
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

  it("shows what is said where the server says, and not at all where the end is out of sight", async () => {
    void thread.open("m20");
    await answer();
    happen(100);
    void thread.sync();
    await settled();
    expect([waiting, numbers()]).toEqual([[], range(25, 16)]);
    void thread.newest();
    await answer();
    expect(numbers()).toEqual(range(100, 91));
    all.unshift(said(102), said(101)); // in this order, whatever their times
    void thread.sync();
    await answer();
    expect(numbers()).toEqual([102, 101, ...range(100, 91)]);
    all.splice(1, 2, said(101.5), said(101)); // one was committed late, and before another
    void thread.sync();
    await answer();
    expect(numbers()).toEqual([102, 101.5, 101, ...range(99, 91)]);
  });

  it("puts what is made here at the end, until the server says where it belongs", async () => {
    void thread.read();
    await answer();
    all.unshift(said(101));
    thread.add(said(100)); // of which the server has not told yet
    expect(numbers()).toEqual([100, ...range(99, 90)]);
    all.splice(1, 0, said(100));
    void thread.sync();
    await answer();
    expect(numbers()).toEqual([101, 100, ...range(99, 90)]);
  });

  it("loses nothing that happens while a page is on its way", async () => {
    void thread.open("m93");
    await answer();
    void thread.readNewer();
    await answer(() => make(100)); // after the page was made
    expect([numbers(), thread.live]).toEqual([range(100, 89), true]);
    void thread.read();
    await answer(() => thread.remove("m85"));
    expect(numbers()).toEqual(range(100, 79).filter((n) => n !== 85));
  });

  it("keeps what somebody looks at when more was said than a page holds", async () => {
    void thread.read();
    await answer();
    thread.place = [{ key: "day before m93", gap: 20 }, { key: "m93", gap: 0 }];
    for (let n = 100; n < 130; n++) happen(n);
    void thread.sync();
    await answer();
    await answer();
    expect([numbers(), thread.live]).toEqual([range(104, 90), false]); // and it goes on from there
    thread.place = undefined;
    void thread.newest();
    await answer();
    expect([numbers(), thread.live]).toEqual([range(129, 120), true]);
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
    await settled();
    expect(waiting.map(({ wanted }) => wanted)).toEqual([{ around: "m20" }]);
    await answer();
    expect(numbers()).toEqual(range(26, 16).filter((n) => n !== 21));
  });

  it("does not keep pages that it did not read again, since something may have been missed in them", async () => {
    for (let i = 0; i < 4; i++) {
      void thread.read();
      await answer();
    }
    expect(numbers()).toEqual(range(99, 60));
    all = all.filter(({ id }) => id !== "m65");
    thread.place = [{ key: "day before m70", gap: 30 }, { key: "m70", gap: 12 }, { key: "m69", gap: -80 }];
    void thread.reread();
    await answer();
    expect([numbers(), thread.live]).toEqual([range(75, 66).concat(), false]);
    void thread.read();
    await answer();
    expect(numbers()).toEqual(range(75, 55).filter((n) => n !== 65));
  });

  it("keeps what it shows when reading again fails, and says so to who asked", async () => {
    void thread.read();
    await answer();
    refuse = true;
    const rereading = expect(thread.reread()).rejects.toThrow("offline");
    await answer();
    await rereading;
    expect([numbers(), thread.trouble]).toEqual([range(99, 90), undefined]);
  });

  it("keeps what it shows when the next page fails, tells at which end, and tries again", async () => {
    void thread.open("m50");
    await answer();
    refuse = true;
    void thread.read();
    await answer();
    expect([numbers(), thread.trouble?.kind, thread.end]).toEqual([range(55, 46), "offline", "older"]);
    void thread.read();
    void thread.readNewer();
    await settled();
    expect(waiting).toEqual([]); // not by itself, again and again
    refuse = false;
    void thread.again();
    await answer();
    expect([numbers(), thread.trouble, thread.end]).toEqual([range(55, 36), undefined, undefined]);
  });

  it("reads nothing more once it is dropped", async () => {
    void thread.read();
    const rereading = thread.reread();
    thread.drop();
    await answer();
    await rereading;
    expect(numbers()).toEqual([]);
  });

  it("shows the newest instead of what is gone", async () => {
    void thread.open("m500");
    await answer();
    await answer();
    expect([numbers(), thread.trouble]).toEqual([range(99, 90), undefined]);
  });
});
