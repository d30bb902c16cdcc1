import { beforeEach, expect, test, vi } from "vitest";

import type { audioFocus, Sound } from "./audiofocus";

const prefs = vi.hoisted(() => ({ duck: false }));
const say = vi.hoisted(() => vi.fn());
vi.mock("./prefs.svelte", () => ({ prefs }));
vi.mock("./notices.svelte", () => ({ notices: { say } }));
vi.mock("../words", () => ({ t: { player: { recordingElsewhere: "elsewhere" } } }));

/** Whether a system lets a page set how loud it is. */
let loudnessIsOurs = true;

class FakeSound implements Sound {
  plays = false;
  quiet = false;
  begin(focus: typeof audioFocus): this {
    this.plays = true;
    focus.play(this);
    return this;
  }
  pause() {
    this.plays = false;
  }
  duck(quiet: boolean) {
    if (loudnessIsOurs) this.quiet = quiet;
    return loudnessIsOurs || !quiet;
  }
}

/** A tab of its own. */
async function tab() {
  vi.resetModules();
  return (await import("./audiofocus")).audioFocus;
}

/** Recordings, as they are told to pause. */
class FakeRecording {
  runs = false;
  constructor(private readonly focus: typeof audioFocus) {}
  begin() {
    this.runs = true;
    this.focus.record(() => this.pause());
  }
  pause() {
    this.runs = false;
    this.focus.release();
  }
}

/** Resolves when what the tabs said to each other so far has been heard. */
function delivered() {
  const [from, to] = [new BroadcastChannel("hark.player"), new BroadcastChannel("hark.player")];
  return new Promise<void>((resolve) => {
    to.addEventListener("message", () => (from.close(), to.close(), resolve()));
    from.postMessage("nothing");
  });
}

let here: typeof audioFocus;
let there: typeof audioFocus;
beforeEach(async () => {
  vi.stubGlobal("Audio", class { volume = 1; });
  prefs.duck = false;
  loudnessIsOurs = true;
  say.mockClear();
  [here, there] = [await tab(), await tab()];
});

test("of all that plays one is heard, here and in other tabs", async () => {
  const first = new FakeSound().begin(here);
  const second = new FakeSound().begin(here);
  expect([first.plays, second.plays]).toEqual([false, true]);
  await delivered();
  const third = new FakeSound().begin(there);
  await vi.waitFor(() => expect(second.plays).toBe(false));
  expect(third.plays).toBe(true);
});

test("what plays is paused where somebody begins to record, in each tab; nothing begins by itself until they are done", async () => {
  const sound = new FakeSound().begin(here);
  const recording = new FakeRecording(here);
  recording.begin();
  expect(sound.plays).toBe(false);
  expect(here.free).toBe(false);
  recording.pause();
  expect(here.free).toBe(true);

  const other = new FakeSound().begin(there);
  await vi.waitFor(() => expect(sound.plays).toBe(false));
  recording.begin();
  await vi.waitFor(() => expect(other.plays).toBe(false));
});

test("who presses play in the page that records pauses the recording; in another tab, they are told", async () => {
  const recording = new FakeRecording(here);
  recording.begin();
  const other = new FakeSound().begin(there);
  await vi.waitFor(() => expect(other.plays).toBe(false));
  expect(say).toHaveBeenCalledWith("elsewhere");
  expect(recording.runs).toBe(true);

  const sound = new FakeSound().begin(here);
  expect(recording.runs).toBe(false);
  expect(sound.plays).toBe(true);
});

test("who chose that hears it quietly meanwhile, and as before after it", async () => {
  prefs.duck = true;
  const recording = new FakeRecording(here);
  const other = new FakeSound().begin(there);
  recording.begin();
  await vi.waitFor(() => expect(other.quiet).toBe(true));
  expect(other.plays).toBe(true);
  recording.pause();
  await vi.waitFor(() => expect(other.quiet).toBe(false));

  recording.begin();
  const sound = new FakeSound().begin(here);
  expect([sound.plays, sound.quiet, recording.runs, here.free]).toEqual([true, true, true, true]);
  recording.pause();
  expect(sound.quiet).toBe(false);
});

test("where only the buttons of a device set how loud it is, it is paused", () => {
  prefs.duck = true;
  loudnessIsOurs = false;
  const sound = new FakeSound().begin(here);
  const recording = new FakeRecording(here);
  recording.begin();
  expect(sound.plays).toBe(false);
});
