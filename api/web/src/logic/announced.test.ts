import { beforeEach, describe, expect, it } from "vitest";

import { Announced } from "./announced";

let now: number;
let due: { at: number; run: () => void }[];
let asked: { key: string; done: () => void; fail: () => void }[];
let unread: number;
let announced: Announced;

const settled = () => new Promise((resolve) => setTimeout(resolve));
async function pass(ms: number) {
  for (const until = now + ms; ; ) {
    const next = due.toSorted((a, b) => a.at - b.at)[0];
    if (!next || next.at > until) {
      now = until;
      return;
    }
    now = next.at;
    due.splice(due.indexOf(next), 1);
    next.run();
    await settled();
  }
}
const take = (key: string) => asked.splice(asked.findIndex((one) => one.key === key), 1)[0]!;

beforeEach(() => {
  now = 0;
  due = [];
  asked = [];
  unread = 0;
  announced = new Announced({
    read: (key) => new Promise<void>((done, reject) => asked.push({ key, done, fail: () => reject(new Error("no network")) })),
    later: (wait, run) => {
      const one = { at: now + wait, run };
      due.push(one);
      return () => void (due.includes(one) && due.splice(due.indexOf(one), 1));
    },
    now: () => now,
    onUnread: (count) => (unread = count),
  });
});

describe("Announced", () => {
  it("reads a thing once, however often it was announced before", async () => {
    announced.add("a");
    announced.add("a");
    await pass(100);
    expect(asked.map(({ key }) => key)).toEqual(["a"]);
    expect(unread).toBe(1);
    take("a").done();
    await settled();
    expect([asked.length, unread]).toEqual([0, 0]);
  });

  it("reads what was announced while it was being read once more", async () => {
    announced.add("a");
    await pass(100);
    announced.add("a");
    announced.add("a");
    take("a").done();
    await settled();
    expect([asked.map(({ key }) => key), unread]).toEqual([["a"], 1]);
    take("a").done();
    await settled();
    expect([asked.length, unread]).toEqual([0, 0]);
  });

  it("tries for as long as reading fails, less and less often, and is not done before", async () => {
    announced.add("a");
    await pass(100);
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      take("a").fail();
      await settled();
      expect(unread).toBe(1);
      const before = now;
      while (!asked.length) await pass(100);
      times.push(now - before);
    }
    expect(times.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(Math.max(...times)).toBe(30_000);
    take("a").done();
    await settled();
    expect(unread).toBe(0);
  });

  it("tries at once when it is told to", async () => {
    announced.add("a");
    await pass(100);
    take("a").fail();
    await settled();
    announced.hurry();
    expect(asked).toHaveLength(1);
  });

  it("reads a few at once, and all of them", async () => {
    for (let i = 0; i < 20; i++) announced.add(`${i}`);
    await pass(100);
    const read = new Set<string>();
    while (asked.length) {
      expect(asked.length).toBeLessThanOrEqual(6);
      const { key, done } = asked.shift()!;
      read.add(key);
      done();
      await settled();
    }
    expect([read.size, unread]).toEqual([20, 0]);
  });

  it("reads very many as one", async () => {
    for (let i = 0; i < 200; i++) announced.add(`${i}`);
    await pass(1000);
    expect(asked.map(({ key }) => key)).toContain("all");
    while (asked.length) {
      asked.shift()!.done();
      await settled();
      await pass(100);
    }
    expect(unread).toBe(0);
  });

  it("forgets what is cleared, though it is being read", async () => {
    announced.add("a");
    await pass(100);
    announced.clear();
    take("a").fail();
    await settled();
    await pass(100_000);
    expect([asked.length, unread]).toEqual([0, 0]);
  });
});
