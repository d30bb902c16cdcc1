/*
 * The one player of the app. It plays the rendition, or the original while
 * there is none, and goes on with the clip that it began until that ends: one
 * that is made meanwhile is another file. What its screens draw many times a second they draw in a
 * watcher, past the components.
 */
import type { Message } from "../api/client";
import { endOfPause, type Span } from "../logic/silence";
import { library } from "./library.svelte";
import { sessionControls } from "./mediasession";
import { oneTab } from "./onetab";
import { keepPlace, placeIn } from "./places";
import { prefs } from "./prefs.svelte";
import { session } from "./session.svelte";

type Watcher = (ms: number) => void;

/** What keeps it from playing, and what the listener may do about it. */
export type Hindrance = "form" | "network" | "gone" | "press";

export const nudgeMS = 5000;
export const slowest = 0.5;
export const fastest = 3;

/** From here on, going to the message before begins this one again. */
const begun = 3000; // ms

class Player {
  message = $state.raw<Message>();
  playing = $state(false);
  waiting = $state(false); // for sound to come
  hindrance = $state<Hindrance>();
  length = $state(0); // ms
  second = $state(0); // of the place, for clocks
  /** Where nobody speaks, as far as it is known. */
  pauses: readonly Span[] = [];

  private readonly audio = new Audio();
  private source = ""; // address of the clip that is in
  private readonly watchers = new Set<Watcher>();
  private frame = 0;
  private goal: number | undefined; // ms to go to once the length is known
  private kept = 0;
  private wanted = false; // whether it was playing when the sound stayed away
  private readonly claim = oneTab(() => this.pause());

  constructor() {
    const { audio } = this;
    audio.preload = "auto";
    audio.addEventListener("loadedmetadata", () => this.loaded());
    audio.addEventListener("play", () => this.runs(true));
    audio.addEventListener("pause", () => this.runs(false));
    audio.addEventListener("waiting", () => (this.waiting = true));
    audio.addEventListener("playing", () => ((this.waiting = false), (this.hindrance = undefined)));
    audio.addEventListener("timeupdate", () => this.passes());
    audio.addEventListener("seeked", () => this.draw());
    audio.addEventListener("ended", () => this.ended());
    audio.addEventListener("error", () => void this.failed());
    addEventListener("pagehide", () => this.remember());
    addEventListener("online", () => this.hindrance === "network" && this.wanted && this.play());
    sessionControls(this);
  }

  /** Where it is, in ms. */
  get place(): number {
    return this.goal ?? this.audio.currentTime * 1000;
  }

  is(id: string): boolean {
    return this.message?.id === id;
  }

  /** Puts a message in, at a place or where one left off, without a sound. */
  cue(message: Message, at?: number) {
    if (!this.is(message.id)) {
      this.remember();
      this.message = message;
      this.length = message.duration_ms ?? 0;
      this.pauses = [];
      this.hindrance = undefined;
      this.goal = this.resumeAt(message, at);
      this.load();
    } else if (at !== undefined) {
      this.seek(at);
    }
    this.draw();
  }

  play(message: Message | undefined = this.message, at?: number) {
    if (!message) return;
    const over = this.is(message.id) && this.audio.ended;
    this.cue(message, at);
    if (this.hindrance && this.hindrance !== "press") this.load();
    else if (over) this.loadBest(at);
    this.audio.playbackRate = prefs.rate;
    this.wanted = true;
    this.audio.play().catch((thrown: unknown) => {
      // A browser wants a press first; all else is told by the error event.
      if (thrown instanceof DOMException && thrown.name === "NotAllowedError") this.hindrance = "press";
    });
  }

  pause() {
    this.wanted = false;
    this.audio.pause();
  }

  /** Plays a message or pauses it. */
  toggle(message: Message | undefined = this.message) {
    if (message && this.is(message.id) && this.playing) this.pause();
    else this.play(message);
  }

  seek(ms: number) {
    const to = Math.min(Math.max(0, ms), this.length || ms);
    if (this.audio.readyState === 0) this.goal = to;
    else this.audio.currentTime = to / 1000;
    this.draw();
  }

  nudge(ms: number) {
    if (this.message) this.seek(this.place + ms);
  }

  setRate(rate: number) {
    prefs.rate = Math.min(fastest, Math.max(slowest, Math.round(rate * 20) / 20));
    this.audio.playbackRate = prefs.rate;
  }

  step(towards: "next" | "previous") {
    if (towards === "previous" && this.place > begun) this.seek(0);
    else void this.goOn(towards);
  }

  /** The message is gone. */
  vanish() {
    this.pause();
    this.hindrance = "gone";
  }

  close() {
    this.pause();
    this.remember();
    this.message = undefined;
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  /** Calls back with the place whenever it may have moved; returns a way to stop. */
  watch(watcher: Watcher): () => void {
    this.watchers.add(watcher);
    watcher(this.place);
    return () => this.watchers.delete(watcher);
  }

  /** The record changed: a rendition may have come, or the length be known. */
  renew(message: Message) {
    this.message = message;
    if (message.duration_ms) this.length = message.duration_ms;
    if (this.hindrance === "form" && message.rendition) this.play();
  }

  private load() {
    const { message } = this;
    if (!message) return;
    this.source = message.links.audio;
    this.audio.src = this.source;
    this.audio.preservesPitch = true;
  }

  /** Begins with what plays best now, where that is another clip than the one that ended. */
  private loadBest(at = 0) {
    if (this.source === this.message?.links.audio) return;
    this.goal = at;
    this.load();
  }

  private loaded() {
    const { duration } = this.audio;
    if (Number.isFinite(duration) && duration > 0) this.length = duration * 1000;
    this.audio.playbackRate = prefs.rate;
    if (this.goal !== undefined) this.audio.currentTime = this.goal / 1000;
    this.goal = undefined;
    this.draw();
  }

  private resumeAt(message: Message, at: number | undefined): number {
    if (at !== undefined) return at;
    const place = placeIn(message.id);
    return message.duration_ms && place > message.duration_ms - 1500 ? 0 : place;
  }

  private runs(playing: boolean) {
    this.playing = playing;
    this.waiting = false;
    cancelAnimationFrame(this.frame);
    if (!playing) this.remember();
    else {
      this.claim();
      this.tick();
    }
  }

  private tick = () => {
    this.draw();
    this.frame = requestAnimationFrame(this.tick);
  };

  private draw() {
    const ms = this.place;
    for (const watcher of this.watchers) watcher(ms);
    const second = Math.floor(ms / 1000);
    if (second !== this.second) this.second = second;
  }

  private passes() {
    if (!this.playing) return;
    if (Math.abs(this.place - this.kept) > 2000) this.remember();
    if (!prefs.skipSilence) return;
    const on = endOfPause(this.pauses, this.place);
    if (on !== undefined) this.audio.currentTime = Math.min(on, this.length) / 1000;
  }

  private remember() {
    if (!this.message) return;
    this.kept = this.place;
    keepPlace(this.message.id, this.audio.ended ? 0 : this.place);
  }

  private ended() {
    this.remember();
    this.wanted = false;
    if (prefs.playNext) void this.goOn("next");
  }

  /** Plays the message beside, unless one did something else while it was looked for. */
  private async goOn(towards: "next" | "previous") {
    const { message } = this;
    const other = message && (await library.beside(message, towards).catch(() => undefined));
    if (other && this.is(message.id) && playable(other)) this.play(other, 0);
  }

  private async failed() {
    const { message, audio, source } = this;
    if (!message || !audio.error) return;
    this.goal = this.place || undefined;
    this.playing = false;
    this.waiting = false;
    const status = await fetch(source, { method: "HEAD" }).then((r) => r.status, () => 0);
    if (status === 401) session.end();
    else if (!this.is(message.id) || this.source !== source) return;
    else if (status === 410) await this.replace(message.id, source);
    else this.hindrance = status === 404 ? "gone" : status >= 200 && status < 300 ? "form" : "network";
  }

  /** The clip that is in was made anew: goes on in the new one, at the same place. */
  private async replace(id: string, source: string) {
    const found = await library.fetchMessage(id).catch(() => undefined);
    if (!this.is(id) || this.source !== source) return;
    if (!found || found.links.audio === source) {
      this.hindrance = "network";
      return;
    }
    this.renew(found);
    this.load();
    if (this.wanted) this.play();
  }
}

/** Whether there is sound to play. */
export const playable = (message: Message) => message.state !== "recording";

export const player = new Player();
