/* Recordings in a browser in which everything that is awaited is late, done to at random. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { random, SlowBrowser } from "./slowbrowser";
import { Take } from "./take.svelte";

let browser: SlowBrowser;
const sent: string[] = [];

vi.mock("./microphone", () => ({ NoMicrophone: class extends Error {}, openMicrophone: () => browser.openMicrophone() }));
vi.mock("./draftStore", () => ({
  put: (...args: Parameters<SlowBrowser["put"]>) => browser.put(...args),
  remove: (id: string) => browser.remove(id),
  onlyHere: () => false,
}));
vi.mock("./outbox.svelte", () => ({
  lockOf: (id: string) => id,
  outbox: { takeBack: () => browser.later(), read: () => browser.later(), drain: () => sent.push("drained") },
}));
vi.mock("./live.svelte", () => ({ LiveRecording: class { pause() {} resume() {} look() {} find() {} stop() {} forget() {} close() {} } }));
vi.mock("./awake", () => ({ keepAwake: () => () => {} }));
vi.mock("../state/audiofocus", () => ({ audioFocus: { record() {}, release() {} } }));
vi.mock("../state/notices.svelte", () => ({ notices: { say() {} } }));
vi.mock("../state/prefs.svelte", () => ({ prefs: {} }));
vi.mock("../state/session.svelte", () => ({ session: { me: { id: "me" } } }));
vi.mock("../words", () => ({ t: { recorder: {} } }));

const longest = 3000; // ms that an answer may take
const stepMS = 20;
const blockMS = 20;
const encodingMS = 150; // what may still be in the encoder when all is taken to have come

beforeEach(() => {
  vi.useFakeTimers();
  sent.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A take, and how long it said that it records. */
class Watched {
  readonly take = new Take("conversation");
  said = 0; // ms
  pauses = 0; // each may cost a block
  unplugged = -Infinity; // when, by what it said
  readonly started = this.take.start();

  /** Lets time pass, and looks at each moment whether what it says is true. */
  async pass(ms: number) {
    for (let at = 0; at < ms; at += stepMS) {
      const recording = this.take.state === "recording";
      const whole = this.whole;
      await vi.advanceTimersByTimeAsync(stepMS);
      if (whole !== undefined && this.whole !== undefined) expect(Math.abs(this.whole - whole)).toBeLessThanOrEqual(encodingMS + blockMS); // once all has come, its length stays
      if (recording && this.take.state === "recording") this.look();
      if (recording) this.said += stepMS;
    }
  }

  /** How long it is, in ms, where it is paused and says that all has come. */
  private get whole(): number | undefined {
    return this.take.state === "paused" && this.take.complete ? this.take.total : undefined;
  }

  private look() {
    expect(browser.recorders.at(-1)!.state).toBe("recording");
    // That the microphone is gone is noticed a breath later.
    if (this.said > this.unplugged + 400) expect(browser.tracks.map(({ readyState }) => readyState)).toContain("live");
    expect(this.take.tenths * 100).toBeLessThanOrEqual(this.said + 200);
  }
}

const everythingIsClosed = () => {
  expect(browser.tracks.filter(({ readyState }) => readyState === "live")).toEqual([]);
  expect(browser.contexts.filter(({ state }) => state !== "closed")).toEqual([]);
  expect(browser.recorders.filter(({ state }) => state !== "inactive")).toEqual([]);
  expect([...browser.locks]).toEqual([]);
};

/** What one may do to it, or the system does. */
const deeds = ["pause", "resume", "pause and resume", "pause, resume and pause", "interrupt", "unplug", "another microphone", "wait", "wait"] as const;

function act(take: Take, deed: (typeof deeds)[number]) {
  switch (deed) {
    case "pause and resume":
      return void (take.pause(), take.resume());
    case "pause, resume and pause":
      return void (take.pause(), take.resume(), take.pause());
    case "interrupt":
      return browser.contexts.at(-1)!.interrupt();
    case "unplug": {
      const track = browser.tracks.at(-1);
      track?.stop();
      track?.dispatchEvent(new Event("ended"));
      return;
    }
    case "another microphone":
      return void take.listen();
    case "wait":
      return;
    default:
      return void take[deed]();
  }
}

const seeds = Number(process.env.SEEDS) || 30;

test.each(Array.from({ length: seeds }, (_, i) => i + 1))("seed %i: what it says it recorded is kept, to the last block", async (seed) => {
  browser = new SlowBrowser(seed, longest);
  browser.install();
  const rnd = random(seed * 7919);
  const one = new Watched();
  await one.pass(2 * longest + 100);
  expect(await one.started).toBe(true);
  for (let i = 0; i < 8; i++) {
    const deed = deeds[Math.floor(rnd() * deeds.length)]!;
    act(one.take, deed);
    one.pauses += 2;
    if (deed === "unplug") one.unplugged = one.said;
    await one.pass(rnd() * 4000);
  }
  const sending = one.take.send();
  await one.pass(10 * longest);
  await sending;
  if (one.said > 100) expect(sent).toEqual(["drained"]);
  const [kept] = [...browser.kept.values()];
  expect(Math.abs((kept ?? 0) - one.said)).toBeLessThanOrEqual(blockMS + one.pauses * stepMS * 2);
  expect(Math.abs(one.take.total - (kept ?? 0))).toBeLessThanOrEqual(blockMS);
  everythingIsClosed();
});

test.each(Array.from({ length: Math.ceil(seeds / 3) }, (_, i) => i + 1))("seed %i: it is complete once all has come of a browser that is far behind", async (seed) => {
  browser = new SlowBrowser(seed, 3 * longest);
  browser.install();
  const one = new Watched();
  await one.pass(6 * longest + 6000);
  void one.take.pause();
  expect(one.take.complete).toBe(false);
  void one.take.resume();
  await one.pass(1000);
  void one.take.pause();
  await one.pass(20 * longest);
  expect(one.take.complete).toBe(true);
  expect(Math.abs(one.take.total - one.said)).toBeLessThanOrEqual(encodingMS);
  void one.take.discard();
  await one.pass(10 * longest);
  everythingIsClosed();
});

test.each(Array.from({ length: Math.ceil(seeds / 3) }, (_, i) => i + 1))("seed %i: begun and cancelled at random, each closes what it opened and nothing of the next", async (seed) => {
  browser = new SlowBrowser(seed, longest);
  browser.install();
  const rnd = random(seed * 104_729);
  for (let i = 0; i < 5; i++) {
    const cancelled = new Take("conversation");
    void cancelled.start();
    await vi.advanceTimersByTimeAsync(rnd() * longest * 1.5);
    void cancelled.discard();
  }
  const last = new Watched();
  await last.pass(5 * longest); // all that was late is there by now
  expect(last.take.state).toBe("recording");
  expect(browser.tracks.filter(({ readyState }) => readyState === "live")).toHaveLength(1);
  expect(browser.recorders.filter(({ state }) => state === "recording")).toHaveLength(1);
  const sending = last.take.send();
  await last.pass(10 * longest);
  await sending;
  expect([...browser.kept.values()]).toHaveLength(1);
  expect(Math.abs([...browser.kept.values()][0]! - last.said)).toBeLessThanOrEqual(blockMS + stepMS);
  everythingIsClosed();
});
