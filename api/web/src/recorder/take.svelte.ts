/*
 * One recording, from the press that begins it until it is in the outbox or
 * thrown away. It owns what it opened: microphone, copy, live connection, locks.
 * The next one has its own, and neither touches the other's.
 */
import { serverClock } from "../api/client";
import { audioFocus } from "../state/audiofocus";
import { notices } from "../state/notices.svelte";
import { prefs } from "../state/prefs.svelte";
import { session } from "../state/session.svelte";
import { t } from "../words";
import { keepAwake } from "./awake";
import { Capture } from "./capture";
import { Copy } from "./copy";
import { cutFrom, type Cut, left, source } from "./cuts";
import { barMS, Levels, type Warning } from "./levels";
import { LiveRecording } from "./live.svelte";
import { NoMicrophone, type Refusal } from "./microphone";
import { lockOf, outbox, soundOf } from "./outbox.svelte";
import { type Item, newItem } from "./queue";
import { barsOf } from "./recall";
import { nextPiece, onlyHere } from "./draftStore";
import { Machine, type State } from "./states";
import { isWebM } from "./webm";

export class Take {
  state = $state<State>("opening");
  title = $state("");
  warning = $state<Warning | "lost" | "interrupted" | "deleted" | "stuck" | "full">("");
  refusal = $state<Refusal>();
  cuts = $state.raw<Cut[]>([]);
  /** How much is recorded in tenths of a second, without what was cut. */
  tenths = $state(0);
  /** How much of it is on this device, in ms, and whether there was room. */
  saved = $state(0);
  homeless = $state(false);
  canCut = $state(false);
  /** Whether it stands, and all of it has come from the browser: before that its length may change. */
  complete = $state(false);
  live = $state.raw<LiveRecording>();
  /** Whether it is a draft that was opened again. */
  reopened = $state(false);
  readonly levels = new Levels();

  private readonly machine = new Machine((state) => this.entered(state));
  private readonly capture: Capture;
  private copy: Copy | undefined;
  private tick: ReturnType<typeof setInterval> | undefined;
  private letGo: () => void = () => {};
  private letSleep: () => void = () => {};

  /** Throws where the browser has no Web Audio. Made by a press: later some let no sound through. */
  constructor(readonly conversation: string) {
    this.capture = new Capture({
      onStopped: () => this.halt("interrupted"),
      onUnplugged: () => this.halt("lost"),
      onMuted: (muted) => (this.levels.muted = muted),
    });
  }

  /** How much was recorded, with what was cut, in ms. */
  get total(): number {
    return this.copy?.clock.ms ?? 0;
  }

  /** Opens the microphone and begins; whether it did. */
  async start(): Promise<boolean> {
    if ((await this.listen()) && this.capture.alive && this.begin()) return true;
    if (this.machine.go("refused")) this.close();
    return false;
  }

  /** Opens a draft of this device, as it was when it was paused; whether it did. */
  async reopen(draft: Item): Promise<boolean> {
    const { signal } = this.machine;
    const held = this.hold(draft.id);
    const [next, bars] = await Promise.all([nextPiece(draft.id), soundOf({ ...draft, cuts: [] }).then(barsOf)]);
    if (signal.aborted) return false; // closed meanwhile: the draft stays
    this.reopened = this.complete = true;
    this.levels.bars.push(...bars);
    this.cuts = draft.cuts;
    this.title = draft.title;
    this.copy = this.copyOf(draft, held, next);
    return this.running("reopened");
  }

  /** Takes the microphone that is wished for; whether it is there. */
  async listen(): Promise<boolean> {
    try {
      if (!(await this.capture.open({ input: prefs.input, noise: prefs.noise }))) return false;
      this.refusal = undefined;
      if (this.warning === "lost") this.warning = "";
      return true;
    } catch (thrown) {
      this.refusal = thrown instanceof NoMicrophone ? thrown.why : "unsupported";
      return false;
    }
  }

  /** Not a sample more; what there is goes to the device. */
  async pause() {
    if (!this.machine.go("pause")) return;
    const { signal } = this.machine;
    this.complete = false;
    this.live?.pause();
    const copied = this.copy!.pause();
    void this.copy!.save({ phase: "paused" });
    this.look();
    await copied;
    if (signal.aborted) return;
    this.look();
    this.complete = this.copy!.complete; // not where it went on meanwhile
  }

  async resume() {
    if (this.warning === "full" || !this.machine.go("resume")) return;
    const { signal } = this.machine;
    const ready = (this.capture.alive || (await this.listen())) && (await this.capture.wake()) && this.capture.alive;
    if (signal.aborted) return; // paused again, sent or thrown away meanwhile
    if (!ready || !this.copy!.resume()) {
      this.machine.go("stayed");
      if (!this.refusal) this.warning = ready ? "stuck" : this.capture.alive ? "interrupted" : "lost";
      return;
    }
    this.machine.go("resumed");
    this.warning = "";
    this.live?.resume();
    // What is said now is in the copy alone.
    const { live } = this.copy!.item;
    void this.copy!.save({ phase: "recording", ...(this.reopened && live && { live: { ...live, whole: false } }) });
  }

  /** The page goes away. Nobody said to send it: it ends as a draft, here and on the server. */
  leave() {
    const session = this.state !== "over" && this.state !== "ending" && this.copy?.item.live?.session;
    if (session) void fetch(session, { method: "DELETE", keepalive: true });
  }

  /** Sends it, by the outbox, which goes on when this page does not. */
  async send() {
    if (left(this.total, this.cuts) <= 0 || !this.machine.go("send")) return;
    this.live?.pause();
    this.live?.find();
    await this.copy!.stop();
    await this.copy!.save({ phase: "waiting", title: this.title.trim(), cuts: this.cuts });
    this.machine.go("sent");
    this.close();
    await outbox.read();
    outbox.drain();
  }

  /** Throws it away, here and on the server. */
  async discard() {
    if (!this.machine.go("discard")) return;
    this.close();
    if (!this.copy) return;
    await outbox.takeBack(this.copy.item);
    await this.copy.drop();
    await outbox.read();
  }

  /** Nobody is signed in any more: the microphone is let go, and what was said stays a draft on this device. */
  async putAside() {
    if (!this.machine.go("leave")) return;
    this.live?.pause();
    const all = this.copy?.stop();
    this.capture.close();
    await all;
    await this.copy?.save({ phase: "paused", title: this.title.trim() });
    this.close();
  }

  /** Cuts all behind a place in what is left. */
  cut(place: number) {
    if (!this.canCut || !this.machine.may("cut")) return;
    this.change(cutFrom(source(Math.max(0, place), this.cuts), this.total, this.cuts));
    // What was cut nobody may hear: from now on the copy alone counts.
    if (this.copy!.item.live) void outbox.takeBack(this.copy!.item);
    this.live?.forget();
    void this.copy!.save({ live: undefined });
  }

  /** Takes back the last cut. */
  uncut() {
    if (this.machine.may("cut")) this.change(this.cuts.slice(0, -1));
  }

  /** What is recorded so far, to listen to. */
  async sound(): Promise<Blob | undefined> {
    if (!this.copy) return undefined;
    await this.copy.flush();
    // A cut of nothing: written anew it knows its length.
    return soundOf({ ...this.copy.item, cuts: this.cuts.length ? this.cuts : [{ from: Infinity, to: Infinity }] });
  }

  /** Has all that was recorded written, as before a page that may be stopped any time. */
  flush() {
    if (this.state === "recording") void this.copy?.flush();
  }

  private entered(state: State) {
    const before = this.state;
    this.state = state;
    if (state === "recording") audioFocus.record(() => void this.pause());
    else if (before === "recording") audioFocus.release(); // later it may be the next one's
  }

  private begin(): boolean {
    const { stream } = this.capture;
    const id = crypto.randomUUID();
    const held = this.hold(id);
    try {
      this.copy = this.copyOf(newItem({ id, user: session.me!.id, conversation: this.conversation, at: serverClock.now().toISOString(), ...(!serverClock.known && { ownClock: true }), phase: "recording" }), held);
      this.copy.start();
    } catch {
      this.refusal = "unsupported";
      return false;
    }
    if (!this.running("opened")) return false;
    this.live = new LiveRecording(this.conversation, stream, {
      ms: () => this.total,
      voiced: (from, to) => this.levels.voiced(from, to),
      onChange: (live) => void this.copy!.save({ live }),
      onEnded: (reason) => this.ended(reason),
    });
    return true;
  }

  private copyOf(item: Item, held: Promise<unknown>, next?: number): Copy {
    return new Copy(this.capture.stream, item, () => this.capture.ms, held, { onNoRoom: () => this.noRoom(), onEnded: () => this.halt("stuck") }, next);
  }

  private running(how: "opened" | "reopened"): boolean {
    if (!this.machine.go(how)) return false;
    this.canCut = isWebM(this.copy!.item.mime);
    this.tick = setInterval(() => this.look(), barMS);
    this.letSleep = keepAwake();
    this.look();
    return true;
  }

  private change(cuts: Cut[]) {
    this.cuts = cuts;
    void this.copy!.save({ cuts });
    this.look();
  }

  /** It can't go on as it is: it pauses, and says why. */
  private halt(why: "interrupted" | "lost" | "stuck") {
    if (this.state !== "recording" && this.state !== "resuming") return;
    void this.pause();
    this.warning = why;
  }

  private look() {
    if (!this.capture.running && this.state === "recording") this.halt("interrupted");
    const { total } = this;
    if (this.state === "recording") {
      this.levels.feed(this.capture.peak(), total);
      this.warning = this.copy!.clock.stuck ? "stuck" : this.levels.warning;
      this.live?.look();
    }
    this.saved = this.copy!.saved;
    this.tenths = Math.floor(left(this.copy!.clock.shown, this.cuts) / 100);
  }

  private ended(reason: string) {
    this.live?.stop();
    if (reason === "duration") {
      void this.pause(); // nobody said to send it
      this.warning = "full";
    }
    if (reason !== "deleted") return;
    // Somebody did that elsewhere, or the conversation is gone. What was said stays here until somebody says otherwise.
    void this.pause();
    this.live?.forget();
    this.warning = "deleted";
  }

  private noRoom() {
    this.homeless = true;
    notices.say(t.recorder.noRoom, "bad");
  }

  /** Says to other pages of this browser that this recording is in good hands; settled once they know. */
  private hold(id: string): Promise<unknown> {
    if (!navigator.locks) return Promise.resolve();
    const gone = new Promise<void>((resolve) => (this.letGo = resolve));
    return new Promise<void>((known) => void navigator.locks.request(lockOf(id), () => (known(), gone)).catch(() => known()));
  }

  private close() {
    clearInterval(this.tick);
    this.live?.close();
    this.capture.close();
    // What found no room on the device only this page can send.
    if (!this.copy || !onlyHere(this.copy.item.id)) this.letGo();
    this.letSleep();
  }
}
