/*
 * Somebody speaks: one recording at a time, in all of the page.
 *
 * It is recorded twice from the first sample on: live, over WebRTC, where the
 * server keeps it and sends captions; and as a copy on this device. Others see
 * that somebody speaks, and hear nothing before it is sent. While it is paused
 * it can be listened to, cut, gone on with, thrown away or sent. If the page
 * goes away while it is paused, it stays on this device as a draft; if it goes
 * away while somebody speaks, what was said is sent.
 */
import { base } from "../base";
import { notices } from "../state/notices.svelte";
import { player } from "../state/player.svelte";
import { prefs } from "../state/prefs.svelte";
import { session } from "../state/session.svelte";
import { t } from "../words";
import { keepAwake } from "./awake";
import { Copy } from "./copy";
import { barsLeft, cutFrom, type Cut, lastBars, lastBit, left, shape, source } from "./cuts";
import { type Live, stalled } from "./decide";
import { Ear } from "./ear";
import { barMS, Levels, type Warning } from "./levels";
import { NoMicrophone, openMicrophone, type Refusal } from "./microphone";
import { lockOf, outbox, soundOf } from "./outbox.svelte";
import { onlyHere } from "./shelf";
import { isWebM } from "./webm";
import { type Caption, type News, WhipLink } from "./whip";

type Phase = "idle" | "opening" | "recording" | "paused" | "ending";
/** What it is that takes the words beside the copy. */
type Way = "connecting" | "live" | "local";

class Recorder {
  phase = $state<Phase>("idle");
  conversation = $state("");
  title = $state("");
  way = $state<Way>("connecting");
  captions = $state.raw<Caption[]>([]);
  warning = $state<Warning | "lost" | "interrupted" | "deleted">("");
  refusal = $state<Refusal>();
  cuts = $state.raw<Cut[]>([]);
  /** How much is recorded in tenths of a second, without what was cut. */
  tenths = $state(0);
  /** How much is safe on the server, in ms. */
  kept = $state(0);
  endingSoon = $state(false);
  canCut = $state(false);

  levels = new Levels();
  private ear: Ear | undefined;
  private copy: Copy | undefined;
  private link: WhipLink | undefined;
  private live: Live | undefined;
  private lost: { at: number; whole: boolean } | undefined; // since when nothing comes through, in ms of the copy, and whether all did before
  private before = 0; // ms recorded before the last pause
  private since = 0; // when it went on; 0 while it does not
  private lastKept = 0;
  private tick: ReturnType<typeof setInterval> | undefined;
  private letGo: () => void = () => {};
  private letSleep: () => void = () => {};

  get busy() {
    return this.phase !== "idle";
  }

  /** How much was recorded, with what was cut. */
  get total(): number {
    return this.before + (this.since && performance.now() - this.since);
  }

  /** How loud it is now, as the meter says. */
  get level(): number {
    return this.levels.bars.at(-1) ?? 0;
  }

  /** The shape of what is left, to be drawn. */
  shape(): number[] {
    return shape(barsLeft(this.levels.bars, this.cuts), 400);
  }

  /** The last bars of what is left, the newest first. */
  lastBars(count: number): number[] {
    return lastBars(this.levels.bars, this.cuts, count);
  }

  async start(conversation: string) {
    if (this.busy) return;
    this.reset(conversation);
    try {
      const ear = new Ear(() => this.interrupted()); // at once, while the browser knows that somebody asked for it
      this.ear = ear;
      await this.hear();
      if (this.phase !== "opening") return ear.close();
    } catch (thrown) {
      this.refusal = thrown instanceof NoMicrophone ? thrown.why : "unsupported";
      this.close();
      return;
    }
    player.pause();
    this.begin();
  }

  private begin() {
    const { heard } = this.ear!;
    const id = crypto.randomUUID();
    this.hold(id);
    this.copy = new Copy(
      heard,
      { id, user: session.me!.id, conversation: this.conversation, title: "", name: "", at: new Date().toISOString(), phase: "recording", cuts: [], tries: 0, notBefore: 0, reason: "" },
      () => this.total,
      () => notices.say(t.recorder.noRoom, "bad"),
    );
    this.canCut = isWebM(this.copy.item.mime);
    this.since = performance.now();
    this.copy.start();
    this.phase = "recording";
    this.tick = setInterval(() => this.look(), barMS);
    this.lastKept = performance.now();
    this.link = new WhipLink(this.conversation, heard, {
      onMessage: (message, address) => this.know({ session: address, message, lead: 0, whole: false }),
      onLive: () => this.connected(),
      onLost: () => this.lose(),
      onBroken: () => this.broken(),
      onNews: (news) => this.hearNews(news),
    });
    this.letSleep = keepAwake();
  }

  async pause() {
    if (this.phase !== "recording") return;
    this.before = this.total;
    this.since = 0;
    this.phase = "paused";
    this.link?.pause();
    this.look();
    await this.copy?.save({ phase: "paused", ms: this.before });
    await this.copy?.pause();
  }

  async resume() {
    if (this.phase !== "paused" || !this.ear) return;
    player.pause();
    if (this.ear.microphone?.readyState !== "live" && !(await this.rehear())) return;
    if (!(await this.ear.wake())) {
      this.warning = "interrupted";
      return;
    }
    this.warning = "";
    this.copy?.resume();
    void this.copy?.save({ phase: "recording" });
    this.link?.resume();
    this.since = this.lastKept = performance.now();
    this.phase = "recording";
  }

  toggle() {
    void (this.phase === "recording" ? this.pause() : this.resume());
  }

  /** Sends it, by the outbox, which goes on when this page does not. */
  async send() {
    if ((this.phase !== "recording" && this.phase !== "paused") || left(this.total, this.cuts) <= 0) return;
    const { copy } = this;
    this.before = this.total;
    this.since = 0;
    this.phase = "ending";
    this.find();
    await copy!.stop();
    await copy!.save({ phase: "waiting", title: this.title.trim(), ms: this.before, cuts: this.cuts, ...(this.live && { live: this.live }) });
    this.close();
    await outbox.read();
    outbox.drain();
  }

  /** Throws it away, here and on the server. */
  async discard() {
    const { copy } = this;
    this.close();
    if (!copy) return;
    await outbox.takeBack(copy.item);
    await copy.drop();
    await outbox.read();
  }

  async again() {
    const { conversation } = this;
    await this.discard();
    await this.start(conversation);
  }

  /** How much the next cut of the last bit takes. */
  get lastBit(): number {
    return lastBit(lastBars(this.levels.bars, this.cuts, 20_000 / barMS).reverse());
  }

  /** Cuts the last bit, or all behind a place in what is left. */
  cut(place = left(this.total, this.cuts) - this.lastBit) {
    if (this.phase !== "paused" || !this.canCut) return;
    this.change(cutFrom(source(Math.max(0, place), this.cuts), this.total, this.cuts));
    // What was cut nobody may hear: from now on the copy alone counts.
    if (this.live && this.copy) void outbox.takeBack(this.copy.item);
    this.live = undefined;
    void this.copy?.save({ live: undefined });
    this.broken();
  }

  /** Takes back the last cut. */
  uncut() {
    this.change(this.cuts.slice(0, -1));
  }

  private change(cuts: Cut[]) {
    this.cuts = cuts;
    void this.copy?.save({ cuts });
    this.look();
  }

  /** What is recorded so far, to listen to. */
  async sound(): Promise<Blob | undefined> {
    if (!this.copy) return undefined;
    await this.copy.flush();
    // A cut of nothing: written anew it knows its length.
    return soundOf({ ...this.copy.item, cuts: this.cuts.length ? this.cuts : [{ from: Infinity, to: Infinity }] });
  }

  /** Takes another microphone, or the same in another way. */
  async rehear(): Promise<boolean> {
    if (!this.ear) return false;
    try {
      await this.hear();
      if (this.warning === "lost") this.warning = "";
      return true;
    } catch (thrown) {
      this.refusal = thrown instanceof NoMicrophone ? thrown.why : "unsupported";
      return false;
    }
  }

  /** The page is out of sight, and may be stopped any time, as on a phone that sleeps. */
  hide() {
    if (this.phase === "recording") void this.copy?.flush();
  }

  /** The page goes away. */
  leave() {
    this.hide();
    // Nobody said to send it: it stays here, as a draft.
    if (this.phase === "paused" && this.live) void fetch(`${base}/v1/messages/${this.live.message}`, { method: "DELETE", keepalive: true });
  }

  private async hear() {
    const stream = await openMicrophone({ input: prefs.input, noise: prefs.noise });
    const track = stream.getAudioTracks()[0]!;
    const { levels } = this;
    const told = () => (levels.muted = track.muted);
    track.addEventListener("mute", told);
    track.addEventListener("unmute", told);
    track.addEventListener("ended", () => {
      if (this.ear?.microphone !== track || !this.busy) return;
      void this.pause();
      this.warning = "lost";
    });
    await this.ear!.listenTo(stream);
    told();
    this.refusal = undefined;
  }

  private look() {
    const { total } = this;
    if (this.phase === "recording") {
      this.levels.feed(this.ear!.peak(), total);
      this.warning = this.levels.warning;
      if (this.way === "live" && stalled(performance.now(), this.lastKept, true)) this.link?.revive();
    }
    this.tenths = Math.floor(left(total, this.cuts) / 100);
  }

  /** It comes through, for the first time or again. */
  private connected() {
    const again = this.way !== "connecting";
    this.way = "live";
    this.lastKept = performance.now();
    const lead = this.total;
    if (again) this.find();
    else this.know({ ...this.live!, lead, whole: !this.levels.voiced(0, lead) });
  }

  /** What is said now the copy alone has, until the network is back. */
  private lose() {
    if (!this.live || this.way === "connecting") return this.broken();
    this.way = "local";
    this.lost = { at: this.live.lead + this.kept, whole: this.live.whole };
    this.know({ ...this.live, whole: false });
  }

  /** The live recording has all again, unless somebody spoke while it was lost. */
  private find() {
    if (!this.lost || !this.live) return;
    const { at, whole } = this.lost;
    this.lost = undefined;
    this.know({ ...this.live, whole: whole && !this.levels.voiced(at, this.total) });
  }

  /** From now on the copy alone counts. */
  private broken() {
    this.link?.close();
    this.link = undefined;
    this.lost = undefined;
    this.way = "local";
    if (this.live) this.know({ ...this.live, whole: false });
  }

  /** The system took the sound away, as for a telephone call. */
  private interrupted() {
    if (this.phase !== "recording") return;
    void this.pause();
    this.warning = "interrupted";
  }

  private know(live: Live) {
    this.live = live;
    void this.copy?.save({ live });
  }

  private hearNews(news: News) {
    switch (news.type) {
      case "kept":
        this.kept = news.ms;
        this.lastKept = performance.now();
        break;
      case "caption":
        this.captions = [...this.captions.filter((caption) => caption.segment !== news.segment), news].sort((a, b) => a.segment - b.segment);
        break;
      case "ending":
        this.endingSoon = true;
        break;
      case "ended":
        this.ended(news.reason);
    }
  }

  private ended(reason: string) {
    if (reason === "duration") return void this.send();
    this.broken();
    if (reason !== "deleted") return;
    // Somebody did that elsewhere, or the conversation is gone. What was said stays here until somebody says otherwise.
    void this.pause();
    this.live = undefined;
    void this.copy?.save({ live: undefined });
    this.warning = "deleted";
  }

  /** Says to other pages of this browser that this recording is in good hands. */
  private hold(id: string) {
    void navigator.locks?.request(lockOf(id), () => new Promise<void>((resolve) => (this.letGo = resolve)));
  }

  private reset(conversation: string) {
    this.conversation = conversation;
    this.title = "";
    this.way = "connecting";
    this.captions = [];
    this.warning = "";
    this.refusal = undefined;
    this.cuts = [];
    this.tenths = this.kept = this.before = this.since = 0;
    this.endingSoon = false;
    this.levels = new Levels();
    this.live = this.lost = undefined;
    this.copy = undefined;
    this.phase = "opening";
  }

  private close() {
    clearInterval(this.tick);
    this.link?.close();
    this.ear?.close();
    // What found no room on the device only this page can send.
    if (!this.copy || !onlyHere(this.copy.item.id)) this.letGo();
    this.letSleep();
    this.link = this.ear = undefined;
    this.before = this.total;
    this.since = 0;
    this.phase = "idle";
  }
}

export const recorder = new Recorder();

addEventListener("pagehide", () => recorder.leave());
document.addEventListener("visibilitychange", () => document.hidden && recorder.hide());
addEventListener("beforeunload", (event) => {
  if (recorder.phase === "recording" || recorder.phase === "paused") event.preventDefault();
});
