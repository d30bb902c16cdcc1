import { beforeEach, describe, expect, it, vi } from "vitest";

import { Feed, type HarkEvent, type Link, type Source, waitAfter } from "./feed";

class FakeSource implements Source {
  readyState = 0;
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();
  constructor(readonly url: string) {}
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void) {
    this.listeners.set(type, listener);
  }
  close() {
    this.readyState = 2;
  }
  say(type: string, data: object = {}, lastEventId = "") {
    this.listeners.get(type)?.({ data: JSON.stringify({ type, ...data }), lastEventId } as MessageEvent<string>);
  }
  fail(readyState: 0 | 2) {
    this.readyState = readyState;
    this.say("error");
  }
}

let sources: FakeSource[];
let later: { wait: number; run: () => void }[];
let events: HarkEvent[];
let links: Link[];
let gap: ReturnType<typeof vi.fn<() => void>>;
let feed: Feed;
const last = () => sources.at(-1)!;

beforeEach(() => {
  sources = [];
  later = [];
  events = [];
  links = [];
  gap = vi.fn();
  feed = new Feed({
    open: (url) => (sources.push(new FakeSource(url)), last()),
    later: (wait, run) => {
      const due = { wait, run };
      later.push(due);
      return () => later.splice(later.indexOf(due), 1);
    },
    onEvent: (event) => events.push(event),
    onGap: gap,
    onLink: (link) => links.push(link),
  });
  feed.start();
});

describe("Feed", () => {
  it("tells what happens", () => {
    last().say("open");
    last().say("message.created", { message_id: "m" }, "1");
    expect(events).toEqual([{ type: "message.created", message_id: "m" }]);
    expect(links).toEqual(["connecting", "live"]);
    expect(gap).toHaveBeenCalledTimes(1); // what was read before the stream began
  });

  it("goes on behind the last event when the stream is refused", () => {
    last().say("open");
    last().say("message.created", {}, "a/b");
    last().say("message.progress"); // has no id and changes no place
    last().fail(2);
    expect(later.map((due) => due.wait)).toEqual([1000]);
    later[0]!.run();
    expect(last().url).toBe("/v1/events?after=a%2Fb");
    last().say("open");
    expect(gap).toHaveBeenCalledTimes(1); // at the first opening
    expect(links.at(-1)).toBe("live");
  });

  it("leaves trying again to the browser where it does", () => {
    last().say("open");
    last().fail(0);
    expect(later).toEqual([]);
    expect(sources).toHaveLength(1);
    expect(links.at(-1)).toBe("connecting");
    last().fail(0);
    expect(links.at(-1)).toBe("lost");
  });

  it("asks for all to be read again when it had no place to go on from", () => {
    last().say("open");
    last().fail(2);
    later[0]!.run();
    last().say("open");
    expect(gap).toHaveBeenCalledTimes(2);
  });

  it("asks for the same after a reset, and goes on from there", () => {
    last().say("open");
    last().say("reset", {}, "9");
    expect(gap).toHaveBeenCalledTimes(2);
    expect(events).toEqual([]);
    feed.stop();
    feed.start();
    expect(last().url).toBe("/v1/events?after=9");
  });

  it("waits longer each time, and not at all when told to start", () => {
    for (const wait of [1000, 2000, 4000]) {
      last().fail(2);
      expect(later.at(-1)!.wait).toBe(wait);
      later.at(-1)!.run();
    }
    expect(waitAfter(50)).toBe(30_000);
    last().fail(2);
    const count = sources.length;
    feed.start();
    expect(sources).toHaveLength(count + 1);
  });

  it("is silent once stopped", () => {
    const old = last();
    feed.stop();
    old.fail(2);
    expect(later).toEqual([]);
  });
});
