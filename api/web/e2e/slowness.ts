/*
 * A slow device, by a seed: everything that the recorder waits for (permission,
 * IndexedDB, requests, the events of MediaRecorder, timers) takes a while that
 * nobody can foresee. Its microphone gives a tone that tells the time, so that
 * one can hear in a message which moments are in it.
 */
import type { Page } from "@playwright/test";

/** The tone: so many ms each pitch, so many pitches before the first comes again. */
export const slotMS = 250;
export const pitches = 40;
const lowest = 500; // Hz
const between = 60;

export interface Heard {
  /** What the page said: stretches in which it recorded, in ms of the tone's clock. */
  said: { from: number; to: number }[];
  /** The slots that are in the message, in their order. */
  slots: number[];
  /** How long it is, and how much of it has no tone, in ms. */
  length: number;
  silent: number;
}

/** Runs in the page, before anything else does. */
function install([slotMS, pitches, lowest, between]: readonly [number, number, number, number]) {
  const plainTimeout = window.setTimeout.bind(window);
  const sleep = (ms: number) => new Promise((wake) => plainTimeout(wake, ms));
  let seed = 1;
  let slow = false;
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let z = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  /** Mostly short, at times long. */
  const late = (longest: number) => (slow ? longest * random() ** 3 : 0);

  let tone: AudioContext | undefined;
  let pitch: OscillatorNode;
  const now = () => tone!.currentTime * 1000;
  const pitchOf = (slot: number) => lowest + between * (slot % pitches);

  function startTone() {
    tone = new AudioContext();
    pitch = tone.createOscillator();
    const level = tone.createGain();
    level.gain.value = 0.4;
    pitch.connect(level);
    for (let slot = 0; slot < 2400; slot++) pitch.frequency.setValueAtTime(pitchOf(slot), (slot * slotMS) / 1000);
    pitch.start();
    return level;
  }
  let source: GainNode | undefined;
  navigator.mediaDevices.getUserMedia = async () => {
    source ??= startTone();
    await tone!.resume();
    await sleep(late(1800));
    const out = tone!.createMediaStreamDestination();
    source.connect(out);
    return out.stream;
  };

  const fetchNow = window.fetch.bind(window);
  window.fetch = async (...args) => {
    await sleep(late(2500));
    const answer = await fetchNow(...args);
    await sleep(late(800));
    return answer;
  };
  window.setTimeout = ((run: TimerHandler, ms = 0, ...args: unknown[]) => plainTimeout(run, ms + late(400), ...args)) as typeof window.setTimeout;

  const events = ["dataavailable", "stop", "start", "pause", "resume", "error"] as const;
  window.MediaRecorder = class extends MediaRecorder {
    private readonly own = new EventTarget();
    private last: Promise<unknown> = Promise.resolve();
    constructor(stream: MediaStream, options?: MediaRecorderOptions) {
      super(stream, options);
      for (const name of events) {
        super.addEventListener(name, (event) => {
          const again = event instanceof BlobEvent ? new BlobEvent(name, { data: event.data }) : new Event(name);
          this.last = this.last.then(() => sleep(late(1500))).then(() => this.own.dispatchEvent(again));
        });
        Object.defineProperty(this, `on${name}`, { set: (handler: (event: Event) => void) => this.own.addEventListener(name, handler) });
      }
    }
    override addEventListener(name: string, ...rest: [EventListener, AddEventListenerOptions?]) {
      this.own.addEventListener(name, ...rest);
    }
    override removeEventListener(name: string, ...rest: [EventListener]) {
      this.own.removeEventListener(name, ...rest);
    }
  } as typeof MediaRecorder;

  /** Others write into the same database: what the page writes waits for them. */
  async function occupy() {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const open = indexedDB.open("hark");
      open.onsuccess = () => resolve(open.result);
      open.onerror = () => reject(open.error!);
    });
    while (slow) {
      const until = performance.now() + late(1500);
      await new Promise<void>((done) => {
        const held = db.transaction(["items", "pieces"], "readwrite");
        held.oncomplete = () => done();
        const again = () => {
          if (performance.now() < until) held.objectStore("items").get("").onsuccess = again;
        };
        again();
      });
      await sleep(200 * random());
    }
    db.close();
  }

  const shown = (within: ParentNode, name: string) =>
    [...within.querySelectorAll<HTMLButtonElement>("button")].find((button) => (button.getAttribute("aria-label") ?? button.textContent.trim()) === name && !button.disabled && button.offsetParent);
  const region = () => document.querySelector("[aria-label='Recording']");

  const said: { from: number; to: number }[] = [];
  let saying = false;
  function look(pauseName: string) {
    const panel = region();
    const is = !!panel && !!shown(panel, pauseName);
    if (is && !saying) said.push({ from: now(), to: now() });
    else if (is || saying) said.at(-1)!.to = now();
    saying = is;
  }

  Object.assign(window, {
    slowness: {
      sleep,
      random,
      shown,
      region,
      said,
      /** What was said so far does not count. */
      forget() {
        said.length = 0;
        saying = false;
      },
      /** From now on all is slow, as this seed says. */
      begin(with_: number, pauseName: string) {
        seed = with_ * 2654435761;
        slow = true;
        this.forget();
        void occupy();
        const watch = setInterval(() => (slow ? tone && look(pauseName) : clearInterval(watch)), 15);
      },
      end: () => (slow = false),
      /** What is to be heard of the tone in a clip. */
      async hear(address: string): Promise<Omit<Heard, "said">> {
        const rate = 16_000;
        const clip = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await (await fetchNow(address)).arrayBuffer());
        const samples = clip.getChannelData(0);
        const window_ = rate / 20;
        const slots: number[] = [];
        let silent = 0;
        let last = -1;
        let seen = -1;
        for (let at = 0; at + window_ <= samples.length; at += window_) {
          const heard = strongest(samples.subarray(at, at + window_), rate);
          if (heard === undefined) silent += 50;
          // What lasts for two looks is heard; of all slots of this pitch it is the next.
          else if (heard === seen && (last < 0 || heard !== last % pitches)) {
            last = last < 0 ? heard : last + ((heard - (last % pitches) + pitches) % pitches);
            slots.push(last);
          }
          seen = heard ?? -1;
        }
        return { slots, length: clip.duration * 1000, silent };
      },
    },
  });

  /** The pitch of a moment (Goertzel); none where it is quiet, or of two. */
  function strongest(samples: Float32Array, rate: number): number | undefined {
    let total = 0;
    for (const sample of samples) total += sample * sample;
    if (total / samples.length < 1e-4) return undefined;
    let best = 0;
    let which = 0;
    for (let slot = 0; slot < pitches; slot++) {
      const w = 2 * Math.cos((2 * Math.PI * pitchOf(slot)) / rate);
      let a = 0;
      let b = 0;
      for (const sample of samples) [a, b] = [sample + w * a - b, a];
      const power = a * a + b * b - w * a * b;
      if (power > best) [best, which] = [power, slot];
    }
    return which;
  }
}

/** Has a page, once it is opened, be as slow as it is told. */
export const makeSlow = (page: Page) => page.addInitScript(install, [slotMS, pitches, lowest, between] as const);
