import { describe, expect, it } from "vitest";

import { Feed, type Hears } from "./feed";
import { type Note, SharedFeed } from "./sharedfeed";

/** A clock, a server with a log of events, and tabs that come, go, crash, freeze and hide: all from one seed. */
class World {
  now = 1_000_000;
  log: string[] = []; // ids of events
  up = true;
  streams = new Set<{ tab: Tab; hears: Hears; sent: number }>();
  tabs: Tab[] = [];
  private due: { at: number; run: () => void }[] = [];
  private count = 0;

  constructor(private seed: number) {}

  random(): number {
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.seed / 2 ** 32;
  }

  later(wait: number, run: () => void, tab?: Tab) {
    let off = false;
    this.due.push({ at: this.now + wait, run: () => void (off || (tab ? tab.run(() => off || run()) : run())) });
    return () => void (off = true);
  }

  pass(ms: number) {
    for (const until = this.now + ms; ; ) {
      const next = this.due.reduce<(typeof this.due)[number] | undefined>((first, one) => (!first || one.at < first.at ? one : first), undefined);
      if (!next || next.at > until) {
        this.now = until;
        return;
      }
      this.now = Math.max(this.now, next.at);
      this.due = this.due.filter((one) => one !== next);
      next.run();
    }
  }

  happens() {
    this.log.push(`e${this.log.length + 1}`);
    for (const stream of [...this.streams]) this.later(this.random() * 20, () => this.send(stream));
  }

  open(tab: Tab, url: string, told: Hears) {
    let left = false;
    const unless = <A extends unknown[]>(tell: (...args: A) => void) => (...args: A) => void (left || tell(...args));
    const hears = { onOpen: unless(told.onOpen), onText: unless(told.onText), onEnd: unless(told.onEnd) };
    const after = new URLSearchParams(url.split("?")[1]).get("after");
    const stream = { tab, hears, sent: after ? Number(after.slice(1)) : -1 };
    const arrive = this.later(5 + this.random() * 30, () => {
      if (!this.up || stream.tab.dead) return tab.run(() => hears.onEnd());
      if (stream.sent < 0) stream.sent = this.log.length;
      this.streams.add(stream);
      tab.run(() => {
        hears.onOpen(200, 0);
        hears.onText(`id: e${stream.sent}\n: listening\n\n`);
      });
      this.send(stream);
      const beat = () => void (this.streams.has(stream) && (tab.run(() => hears.onText(": still here\n\n")), this.later(15_000, beat)));
      this.later(15_000, beat);
    });
    return () => {
      left = true;
      arrive();
      this.streams.delete(stream);
    };
  }

  restart() {
    this.up = false;
    for (const { tab, hears } of [...this.streams]) tab.run(() => hears.onEnd());
    this.streams.clear();
    this.later(this.random() * 4000, () => (this.up = true));
  }

  private send(stream: { tab: Tab; hears: Hears; sent: number }) {
    while (this.streams.has(stream) && stream.sent < this.log.length) {
      const id = this.log[stream.sent++]!;
      stream.tab.run(() => stream.hears.onText(`id: ${id}\nevent: message.created\ndata: {"type":"message.created","message_id":"${id}"}\n\n`));
    }
  }

  tab(): Tab {
    const tab = new Tab(this, `tab ${++this.count}`);
    this.tabs.push(tab);
    return tab;
  }
}

/** One tab: what it knows is what it read when events may have been missed, and what it heard since. */
class Tab {
  known = new Set<string>();
  dead = false;
  frozen = false;
  hidden = false;
  rereads = 0;
  readonly shared: SharedFeed;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly world: World,
    readonly id: string,
  ) {
    const feed = new Feed({
      open: (url, hears) => world.open(this, url, hears),
      later: (wait, run) => world.later(wait, run, this),
      now: () => world.now,
      jitter: () => world.random(),
      onEvent: (event) => this.shared.feeds.onEvent(event),
      onGap: () => this.shared.feeds.onGap(),
      onLink: (link) => this.shared.feeds.onLink(link),
      onSignedOut: () => {},
    });
    this.shared = new SharedFeed({
      id,
      post: (note) => this.post(note),
      later: (wait, run) => world.later(wait, run, this),
      now: () => world.now,
      hidden: () => this.hidden,
      jitter: () => world.random(),
      feed,
      onEvent: (event) => this.known.add(event.message_id!),
      onGap: () => {
        this.rereads++;
        world.later(world.random() * 10, () => this.run(() => world.log.forEach((id) => this.known.add(id))));
      },
      onLink: () => {},
    });
  }

  /** What happens in it, which waits while it is frozen. */
  run(what: () => void) {
    if (this.dead) return;
    if (this.frozen) this.waiting.push(what);
    else what();
  }

  thaw() {
    this.frozen = false;
    while (this.waiting.length) this.waiting.shift()!();
    this.shared.check();
  }

  hide(hidden: boolean) {
    this.hidden = hidden;
    if (!hidden) this.run(() => this.shared.check());
  }

  close() {
    this.shared.stop();
    this.crash();
  }

  crash() {
    this.dead = true;
    this.world.tabs = this.world.tabs.filter((tab) => tab !== this);
    for (const stream of this.world.streams) if (stream.tab === this) this.world.streams.delete(stream);
  }

  private post(note: Note) {
    const copy = structuredClone(note);
    for (const tab of this.world.tabs) if (tab !== this) this.world.later(1, () => tab.run(() => tab.shared.hear(copy)));
  }
}

function opened(world: World, count: number) {
  const tabs = Array.from({ length: count }, () => world.tab());
  for (const tab of tabs) tab.shared.start();
  world.pass(2000);
  return tabs;
}

/** What becomes of a tab, by chance. */
function act(world: World, tab: Tab, what: number) {
  if (what < 0.58) tab.close();
  else if (what < 0.64) tab.crash();
  else if (what < 0.74) tab.frozen = true;
  else if (what < 0.84) tab.thaw();
  else if (what < 0.9) tab.hide(!tab.hidden);
  else {
    tab.run(() => tab.shared.stop());
    world.later(world.random() * 5000, () => tab.shared.start(), tab);
  }
}

const upToDate = (world: World) => world.tabs.every((tab) => world.log.every((id) => tab.known.has(id)));
const leaders = (world: World) => world.tabs.filter((tab) => tab.shared.leads);

describe("SharedFeed", () => {
  it("has one stream for ten tabs, and all hear of all", () => {
    const world = new World(1);
    opened(world, 10);
    expect([world.streams.size, leaders(world).length]).toEqual([1, 1]);
    const rereads = world.tabs.map((tab) => tab.rereads);
    for (let i = 0; i < 50; i++) {
      world.happens();
      world.pass(100);
    }
    expect(upToDate(world)).toBe(true);
    expect(world.tabs.map((tab) => tab.rereads)).toEqual(rereads); // heard, not read again
  });

  it("goes on where it was when the leader closes", () => {
    const world = new World(2);
    opened(world, 4);
    const [leader] = leaders(world);
    leader!.close();
    const rereads = world.tabs.map((tab) => tab.rereads);
    world.happens();
    world.pass(2000);
    expect([world.streams.size, upToDate(world)]).toEqual([1, true]);
    expect(world.tabs.map((tab) => tab.rereads)).toEqual(rereads);
  });

  it("finds out within seconds that the leader has crashed", () => {
    const world = new World(3);
    opened(world, 4);
    leaders(world)[0]!.crash();
    world.happens();
    world.pass(8000);
    expect([world.streams.size, upToDate(world)]).toEqual([1, true]);
  });

  it("is taken over from a leader that sleeps, which follows when it wakes", () => {
    const world = new World(4);
    opened(world, 3);
    const [leader] = leaders(world);
    leader!.frozen = true;
    world.happens();
    world.pass(20_000);
    leader!.thaw();
    world.happens();
    world.pass(2000);
    expect([leaders(world).length, leader!.shared.leads, upToDate(world)]).toEqual([1, false, true]);
  });

  it("tells nothing to a tab that left, which catches up when it is back", () => {
    const world = new World(5);
    const [tab] = opened(world, 2);
    tab!.shared.stop();
    world.happens();
    world.pass(1000);
    expect(tab!.known.size).toBe(0);
    tab!.shared.start();
    world.pass(1000);
    expect(upToDate(world)).toBe(true);
  });

  it("misses nothing, whatever tabs, network and server do", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const world = new World(seed);
      opened(world, 1 + Math.floor(world.random() * 6));
      for (let step = 0; step < 60; step++) {
        const tab = world.tabs[Math.floor(world.random() * world.tabs.length)];
        const what = world.random();
        if (what < 0.4) world.happens();
        else if (what < 0.5) world.tab().shared.start();
        else if (what < 0.94 && what >= 0.9) world.restart();
        else if (tab) act(world, tab, what);
        world.pass(world.random() * world.random() * 6000);
      }
      for (const tab of world.tabs) {
        tab.thaw();
        tab.hidden = false;
      }
      world.pass(60_000);
      expect(upToDate(world), `seed ${seed}`).toBe(true);
      expect(leaders(world).length, `leaders, seed ${seed}`).toBe(Math.min(1, world.tabs.length));
      expect(world.streams.size, `streams, seed ${seed}`).toBe(Math.min(1, world.tabs.length));
    }
  });
});
