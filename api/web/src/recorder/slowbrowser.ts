/* A browser for tests of the recorder, each of whose answers comes late: how late, a seed says. */
import { vi } from "vitest";

/** Numbers from 0 to 1, always the same ones of a seed (mulberry32). */
export function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let z = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

const blockMS = 20;
const big = (value: number, bytes: number) => Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) % 256);

/** A WebM of empty blocks. */
const head = [0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255];
const block = (ms: number) => [0x1f, 0x43, 0xb6, 0x75, 0x01, 255, 255, 255, 255, 255, 255, 255, 0xe7, 0x84, ...big(ms, 4), 0xa3, 0x84, 0x81, 0, 0, 0x80];

export class SlowBrowser {
  readonly tracks: Track[] = [];
  readonly contexts: Context[] = [];
  readonly recorders: Recorder[] = [];
  /** How much each item has on the device, in ms. */
  readonly kept = new Map<string, number>();
  readonly locks = new Set<string>();
  private readonly rnd: () => number;

  constructor(seed: number, private readonly longest: number) {
    this.rnd = random(seed);
  }

  /** Resolves late. */
  later = (share = 1): Promise<void> => new Promise((wake) => setTimeout(wake, this.rnd() * this.longest * share));

  /** Runs late, but in order with what else is late by the same queue. */
  queue(): (run: () => void) => void {
    let last = Promise.resolve();
    return (run) => void (last = last.then(() => this.later(0.2)).then(run));
  }

  /** A constructor whose things are taken down. */
  private static made<T>(make: () => T, all: T[]) {
    return function () {
      const one = make();
      all.push(one);
      return one;
    };
  }

  install() {
    vi.stubGlobal("AudioContext", SlowBrowser.made(() => new Context(this), this.contexts));
    vi.stubGlobal("MediaRecorder", Object.assign(SlowBrowser.made(() => new Recorder(this), this.recorders), { isTypeSupported: () => true }));
    vi.stubGlobal("navigator", {
      locks: {
        request: async (name: string, hold: () => Promise<void>) => {
          await this.later();
          this.locks.add(name);
          await hold();
          this.locks.delete(name);
        },
      },
    });
  }

  /** The permission prompt, and the opening. */
  openMicrophone = async (): Promise<MediaStream> => {
    await this.later();
    const track = new Track();
    this.tracks.push(track);
    return { getTracks: () => [track], getAudioTracks: () => [track] } as unknown as MediaStream;
  };

  put = async (item: { id: string; ms: number }, piece?: unknown): Promise<boolean> => {
    await this.later(0.2); // or what comes twice a second piles up for ever
    if (piece) this.kept.set(item.id, item.ms);
    return true;
  };

  remove = async (id: string) => {
    await this.later();
    this.kept.delete(id);
  };
}

class Track extends EventTarget {
  readyState = "live";
  muted = false;
  stop() {
    this.readyState = "ended";
  }
}

class Context {
  state = "suspended";
  onstatechange = () => {};
  private ran = 0;
  private since = 0;
  constructor(private readonly browser: SlowBrowser) {}

  get currentTime(): number {
    return (this.ran + (this.state === "running" ? performance.now() - this.since : 0)) / 1000;
  }
  private become(state: string) {
    if (this.state === "closed" || this.state === state) return;
    this.ran = this.currentTime * 1000;
    this.since = performance.now();
    this.state = state;
    this.onstatechange();
  }
  async resume() {
    await this.browser.later();
    this.become("running");
  }
  interrupt() {
    this.become("interrupted");
  }
  close() {
    this.become("closed");
  }
  createAnalyser = () => ({ fftSize: 0, connect() {}, getFloatTimeDomainData: (frame: Float32Array) => frame.fill(0.5) });
  createMediaStreamDestination = () => ({ stream: { context: this, getAudioTracks: () => [] } });
  createMediaStreamSource = () => ({ connect() {}, disconnect() {} });
}

/** Records blocks of the time that passes: its state changes at once, its events come late. */
class Recorder extends EventTarget {
  state = "inactive";
  mimeType = "audio/webm;codecs=opus";
  ondataavailable = (_: { data: Blob }) => {};
  onstop = () => {};
  private recorded = 0; // ms
  private since = 0;
  private written = 0;
  private bytes: number[] = [...head];
  private readonly late: (run: () => void) => void;
  private timer: ReturnType<typeof setInterval> | undefined;
  constructor(browser: SlowBrowser) {
    super();
    this.late = browser.queue();
  }

  start(slice: number) {
    this.run();
    this.timer = setInterval(() => this.state === "recording" && this.give(), slice);
  }
  pause() {
    this.encode();
    this.state = "paused";
  }
  resume() {
    this.run();
  }
  stop() {
    if (this.state === "inactive") return;
    this.encode();
    this.state = "inactive";
    clearInterval(this.timer);
    this.give();
    this.late(() => (this.onstop(), this.dispatchEvent(new Event("stop"))));
  }
  requestData() {
    if (this.state === "inactive") throw new DOMException("inactive", "InvalidStateError");
    this.give();
  }

  private run() {
    this.state = "recording";
    this.since = performance.now();
  }
  private encode() {
    if (this.state !== "recording") return;
    this.recorded += performance.now() - this.since;
    this.since = performance.now();
    for (; this.written + blockMS <= this.recorded; this.written += blockMS) this.bytes.push(...block(this.written));
  }
  private give() {
    this.encode();
    const { buffer, length: size } = Uint8Array.from(this.bytes);
    const data = { size, arrayBuffer: () => Promise.resolve(buffer) } as unknown as Blob; // Node's own is not on the tests' clock
    this.bytes = [];
    this.late(() => (this.ondataavailable({ data }), this.dispatchEvent(new Event("dataavailable"))));
  }
}
