/*
 * The one player of the app. It plays the rendition, or the original while
 * there is none, and goes on with the clip that it began until that ends: one
 * that is made meanwhile is another file. What its screens draw many times a second they draw in a
 * watcher, past the components.
 */
import { isHarks, type Message } from "../api/client";
import { endOfPause, type Span } from "../logic/silence";
import { audioFocus, soundOf } from "./audiofocus";
import { kept } from "./kept.svelte";
import { library } from "./library.svelte";
import { onUnplugged } from "./headphones";
import { tellHeard, wasPlayed } from "./heard";
import { sessionControls, tellWhat } from "./mediasession";
import { notices } from "./notices.svelte";
import { forgetPlaces, keepPlace, placeIn } from "./places";
import { prefs } from "./prefs.svelte";
import { session } from "./session.svelte";
import { t } from "../words";

type Watcher = (ms: number) => void;

/** What keeps it from playing, and what the listener may do about it. */
export type Hindrance = "form" | "network" | "gone" | "press";

export const nudgeMS = 5000;
export const rewindMS = 15_000;
export const slowest = 0.5;
export const fastest = 3;

/** So much before its end what comes next is looked up. */
const soon = 10_000; // ms

/** From here on, going to the message before begins this one again. */
const begun = 3000; // ms

class Player {
  message = $state.raw<Message>();
  playing = $state(false);
  waiting = $state(false); // for sound to come
  hindrance = $state<Hindrance>();
  length = $state(0); // ms
  second = $state(0); // of the place, for clocks
  hurried = $state(false); // plays fast while somebody presses
  /** Where nobody speaks, as far as it is known. */
  pauses: readonly Span[] = [];

  private continuing = $state(false); // between the end of a message and the next
  private readonly audio = new Audio();
  private source = ""; // address of the clip that is in
  private loads = 0; // how often one was put in: what is learnt of an earlier one is old
  private readonly watchers = new Set<Watcher>();
  private frame = 0;
  private goal: number | undefined; // ms to go to once the length is known
  private kept = 0;
  private reached: number | undefined; // ms up to which what plays was noted as heard; none after a jump
  private ahead: { of: string; found?: Message } | undefined; // what comes next, looked up before it is needed
  private wanted = false; // whether it was playing when the sound stayed away
  private readonly sound = soundOf(this.audio, () => this.pause());

  constructor() {
    const { audio } = this;
    audio.preload = "metadata"; // a tab that plays nothing holds no connection: browsers have few
    audio.addEventListener("loadedmetadata", () => this.loaded());
    audio.addEventListener("durationchange", () => this.measure());
    for (const name of ["play", "pause"] as const) audio.addEventListener(name, () => this.follow());
    audio.addEventListener("waiting", () => (this.waiting = true));
    audio.addEventListener("playing", () => ((this.waiting = false), (this.hindrance = undefined)));
    audio.addEventListener("timeupdate", () => this.passes());
    audio.addEventListener("seeked", () => this.draw());
    audio.addEventListener("ended", () => this.ended());
    audio.addEventListener("error", () => void this.failed());
    addEventListener("pagehide", () => this.remember());
    addEventListener("online", () => this.hindrance === "network" && this.wanted && audioFocus.free && this.play());
    sessionControls(this);
    library.showsAlone(() => this.message?.id);
    session.whenOut(() => {
      this.close();
      forgetPlaces();
    });
    onUnplugged(() => this.pause());
  }

  /** Whether it plays, or is on its way to the next message by itself. */
  get going(): boolean {
    return this.playing || this.continuing;
  }

  /** How fast it plays now. */
  get rate(): number {
    return this.hurried ? this.fastRate : prefs.rate;
  }

  /** How fast it plays while somebody presses. */
  get fastRate(): number {
    return prefs.rate < 2 ? 2 : fastest;
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
      this.note();
      this.remember();
      this.message = message;
      this.length = message.duration_ms ?? 0;
      this.pauses = [];
      this.hindrance = undefined;
      this.hurried = false;
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
    if (this.audio.error || (this.hindrance && this.hindrance !== "press")) this.load();
    else if (over) this.loadBest(at);
    this.tune();
    this.wanted = true;
    this.audio.play().catch((thrown: unknown) => {
      this.continuing = false;
      // A browser wants a press first; all else is told by the error event.
      if (thrown instanceof DOMException && thrown.name === "NotAllowedError") this.hindrance = "press";
    });
    this.follow();
  }

  pause() {
    this.wanted = this.continuing = false;
    this.audio.pause();
    this.follow();
  }

  /** Plays a message or pauses it. */
  toggle(message: Message | undefined = this.message) {
    if (message && this.is(message.id) && this.playing) this.pause();
    else this.play(message);
  }

  seek(ms: number) {
    const to = Math.min(Math.max(0, ms), this.length || ms);
    // A goal that was not reached yet would be gone to later.
    if (this.goal !== undefined || this.audio.readyState === 0) this.goal = to;
    else this.jump(to);
    this.draw();
  }

  /** Goes elsewhere in the sound: what lies between is not heard. */
  private jump(ms: number) {
    this.note();
    this.reached = undefined;
    this.audio.currentTime = ms / 1000;
  }

  /** Notes what was played since it was noted last. */
  private note() {
    const { message, reached, place } = this;
    if (message && reached !== undefined && place > reached) wasPlayed(message.id, reached, place);
    this.reached = this.playing ? place : undefined;
  }

  nudge(ms: number) {
    if (this.message) this.seek(this.place + ms);
  }

  setRate(rate: number) {
    prefs.rate = Math.min(fastest, Math.max(slowest, Math.round(rate * 20) / 20));
    this.tune();
  }

  /** Plays fast for as long as somebody presses. */
  hurry(pressed: boolean) {
    this.hurried = pressed && this.playing;
    this.tune();
  }

  /** Gives the sound the speed that is wanted; a clip that is loaded later begins with it. */
  tune() {
    this.audio.defaultPlaybackRate = this.audio.playbackRate = this.rate;
  }

  async step(towards: "next" | "previous") {
    if (towards === "previous" && this.place > begun) {
      this.seek(0);
      return;
    }
    try {
      if (!(await this.goOn(towards, () => true))) notices.say(t.player.none[towards]);
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  /** The message is gone. */
  vanish() {
    this.pause();
    this.hindrance = "gone";
  }

  close() {
    this.pause();
    this.runs(false); // the event goes with the clip
    this.message = this.ahead = this.hindrance = undefined;
    tellWhat(undefined);
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
    if (this.hindrance === "form" && message.rendition && audioFocus.free) this.play();
  }

  private load() {
    const { message } = this;
    if (!message) return;
    if (this.source.startsWith("blob:")) URL.revokeObjectURL(this.source);
    this.begin(message.links.audio);
    this.audio.preservesPitch = true;
  }

  /** Tries a clip anew: what kept it from playing may be over. */
  private begin(source: string) {
    this.reached = undefined;
    this.loads++;
    this.hindrance = undefined;
    this.audio.src = this.source = source;
  }

  /** Begins with what plays best now, where that is another clip than the one that ended. */
  private loadBest(at = 0) {
    if (this.source === this.message?.links.audio) return;
    this.goal = at;
    this.load();
  }

  private loaded() {
    this.measure();
    this.tune();
    if (this.goal !== undefined) this.audio.currentTime = this.goal / 1000;
    this.goal = undefined;
    this.draw();
  }

  /** Takes the length that the clip has: some learn theirs while they play. */
  private measure() {
    const { duration } = this.audio;
    if (Number.isFinite(duration) && duration > 0) this.length = duration * 1000;
  }

  private resumeAt(message: Message, at: number | undefined): number {
    if (at !== undefined) return at;
    const place = placeIn(message.id) || (message.heard.done ? 0 : message.heard.resume_ms);
    return message.duration_ms && place > message.duration_ms - 1500 ? 0 : place;
  }

  /** Does as the element does: at once after a press, since its event may come later than the next press. */
  private follow() {
    if (this.playing === this.audio.paused) this.runs(!this.audio.paused);
  }

  private runs(playing: boolean) {
    this.note();
    this.playing = playing;
    this.reached = playing ? this.place : undefined;
    this.waiting = false;
    cancelAnimationFrame(this.frame);
    if (!playing) {
      this.remember();
      void tellHeard();
      this.hurry(false); // whatever stopped it: it does not go on fast
    } else {
      this.continuing = false;
      audioFocus.play(this.sound);
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
    this.draw(); // a page that is hidden has no frames
    if (!this.playing) return;
    if (!this.audio.seeking) this.note();
    if (prefs.playNext && this.length - this.place < soon) void this.lookAhead();
    if (Math.abs(this.place - this.kept) > 2000) this.remember();
    if (!prefs.skipSilence) return;
    const on = endOfPause(this.pauses, this.place);
    if (on !== undefined) this.jump(Math.min(on, this.length));
  }

  private remember() {
    if (!this.message) return;
    this.kept = this.place;
    keepPlace(this.message.id, this.audio.ended ? 0 : this.place);
  }

  private ended() {
    this.remember();
    this.wanted = false;
    if (!prefs.playNext || !audioFocus.free) return;
    this.continuing = true;
    // At once: a browser may not let a hidden page begin to play any later.
    const next = this.ahead?.of === this.message?.id ? this.ahead?.found : undefined;
    const found = next && library.messages.get(next.id);
    if (found && playable(found)) this.play(found, 0);
    else void this.continue();
  }

  /** Looks for the message that comes next, once for each that ends soon. */
  private async lookAhead() {
    const { message } = this;
    if (!message || this.ahead?.of === message.id) return;
    const ahead: NonNullable<Player["ahead"]> = (this.ahead = { of: message.id });
    const found = await library.beside(message, "next").catch(() => undefined);
    if (found) ahead.found = found;
  }

  private async continue() {
    const found = await this.goOn("next", () => audioFocus.free).catch(() => false);
    if (!found || !audioFocus.free) this.continuing = false;
  }

  /** Plays the message beside, unless one did something else while it was looked for; false if there is none. */
  private async goOn(towards: "next" | "previous", may: () => boolean): Promise<boolean> {
    const { message } = this;
    if (!message) return false;
    const other = await library.beside(message, towards);
    if (!other || !playable(other)) return false;
    if (this.is(message.id) && may()) this.play(other, 0);
    return true;
  }

  private async failed() {
    const { message, audio, source, loads } = this;
    if (!message || !audio.error) return;
    this.goal = this.place || undefined;
    this.playing = this.continuing = false;
    this.waiting = false;
    const status = await fetch(source, { method: "HEAD" }).then((answer) => (isHarks(answer) ? answer.status : 0), () => 0);
    const sound = status === 0 || status >= 500 ? await kept.sound(message.id) : undefined;
    if (status === 401) session.end();
    else if (!this.is(message.id) || this.loads !== loads) return;
    else if (sound && !source.startsWith("blob:")) this.playKept(sound);
    else if (status === 410) await this.replace(message.id, loads);
    else this.hindrance = status === 404 ? "gone" : status >= 200 && status < 300 ? "form" : "network";
  }

  /** Goes on with the sound that is on this device, at the same place. */
  private playKept(sound: Blob) {
    this.begin(URL.createObjectURL(sound));
    if (this.wanted) void this.audio.play().catch(() => {});
  }

  /** The clip that is in was made anew: goes on in the new one, at the same place. */
  private async replace(id: string, loads: number) {
    const found = await library.fetchMessage(id).catch(() => undefined);
    if (!this.is(id) || this.loads !== loads) return;
    if (!found || found.links.audio === this.source) {
      this.hindrance = "network";
      return;
    }
    this.renew(found);
    this.load();
    if (this.wanted && audioFocus.free) this.play();
  }
}

/** Whether there is sound to play. */
export const playable = (message: Message) => message.state !== "recording";

export const player = new Player();
