import { beforeEach, describe, expect, it, vi } from "vitest";

import { Feed, type Hears, type Link, type Placed, waitAfter } from "./feed";

interface Stream extends Hears {
  url: string;
  left: boolean;
}

let now: number;
let streams: Stream[];
let later: { wait: number; run: () => void }[];
let events: Placed[];
let links: Link[];
let gap: ReturnType<typeof vi.fn<() => void>>;
let signedOut: ReturnType<typeof vi.fn<() => void>>;
let feed: Feed;

const last = () => streams.at(-1)!;
const sent = (type: string, data: object = {}, id = "") => `${id && `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
function begin(place = "p0") {
  last().onOpen(200, 0);
  last().onText(`retry: 2000\nid: ${place}\n: listening\n\n`);
}

beforeEach(() => {
  now = 0;
  streams = [];
  later = [];
  events = [];
  links = [];
  gap = vi.fn();
  signedOut = vi.fn();
  feed = new Feed({
    open: (url, hears) => {
      const stream = { url, left: false, ...hears };
      streams.push(stream);
      return () => (stream.left = true);
    },
    later: (wait, run) => {
      const due = { wait, run };
      later.push(due);
      return () => void (later.includes(due) && later.splice(later.indexOf(due), 1));
    },
    now: () => now,
    jitter: () => 1,
    onEvent: (event) => events.push(event),
    onGap: gap,
    onLink: (link) => links.push(link),
    onSignedOut: signedOut,
  });
  feed.start();
});

describe("Feed", () => {
  it("tells what happens, and between which places", () => {
    begin();
    last().onText(sent("message.created", { message_id: "m" }, "p1") + sent("message.progress", { message_id: "m" }));
    expect(events).toEqual([
      { before: "p0", behind: "p1", event: { type: "message.created", message_id: "m" } },
      { before: "p1", behind: "", event: { type: "message.progress", message_id: "m" } },
    ]);
    expect(links).toEqual(["live"]);
    expect(gap).toHaveBeenCalledTimes(1); // what was read before the stream began
  });

  it("is live once something comes, not before", () => {
    last().onOpen(200, 0);
    expect(links).toEqual([]);
  });

  it("goes on behind the last event, and without one from where it began", () => {
    begin();
    last().onEnd();
    expect(later.map(({ wait }) => wait)).toEqual([1000]);
    later[0]!.run();
    expect(last().url).toBe("/v1/events?after=p0");
    begin();
    last().onText(sent("message.created", {}, "a/b") + sent("message.progress"));
    last().onEnd();
    later[0]!.run();
    expect(last().url).toBe("/v1/events?after=a%2Fb");
    begin("a/b");
    expect(gap).toHaveBeenCalledTimes(1); // at the first beginning
    expect(links).toEqual(["live", "connecting", "live", "connecting", "live"]);
  });

  it("gives up a stream on which not even a sign of life comes", () => {
    begin();
    now = 20_000;
    last().onText(": still here\n\n");
    expect(feed.stale).toBe(false);
    const silent = last();
    now = 46_000;
    expect(feed.stale).toBe(true);
    later[0]!.run();
    expect(silent.left).toBe(true);
    expect(links.at(-1)).toBe("connecting");
    later[0]!.run();
    expect(last().url).toBe("/v1/events?after=p0");
  });

  it("reads what is shown instead while something holds the stream back", () => {
    last().onOpen(200, 0);
    later[0]!.run(); // nothing came
    expect([links, gap.mock.calls.length]).toEqual([["delayed"], 1]);
    later[0]!.run();
    later[0]!.run();
    expect([links, gap.mock.calls.length]).toEqual([["delayed"], 2]);
  });

  it("does not take signed out for offline", () => {
    begin();
    last().onEnd();
    later[0]!.run();
    last().onOpen(401, 0);
    expect(signedOut).toHaveBeenCalledTimes(1);
    expect(later).toEqual([]);
    expect(links).not.toContain("lost");
  });

  it("begins anew where its place means nothing any more", () => {
    begin();
    last().onEnd();
    later[0]!.run();
    last().onOpen(422, 0);
    later[0]!.run();
    expect(last().url).toBe("/v1/events");
    begin();
    expect(gap).toHaveBeenCalledTimes(2);
  });

  it("asks for all to be read again after a reset, and goes on from there", () => {
    begin();
    last().onText(sent("reset", {}, "p9"));
    expect(gap).toHaveBeenCalledTimes(2);
    expect(events).toEqual([]);
    feed.stop();
    feed.start();
    expect(last().url).toBe("/v1/events?after=p9");
  });

  it("waits longer each time, as long as it was told, and not at all when told to start", () => {
    for (const wait of [1000, 2000, 4000]) {
      last().onEnd();
      expect(later.at(-1)!.wait).toBe(wait);
      later.at(-1)!.run();
    }
    expect(links).toEqual(["lost"]);
    expect(waitAfter(50)).toBe(30_000);
    last().onOpen(503, 10_000);
    expect(later.at(-1)!.wait).toBe(10_000);
    const count = streams.length;
    feed.check();
    expect(streams).toHaveLength(count + 1);
  });

  it("leaves a stream that lives alone when it is told to check", () => {
    begin();
    feed.check();
    expect(streams).toHaveLength(1);
    now = 30_000; // the device slept
    feed.check();
    expect(streams).toHaveLength(2);
  });
});
