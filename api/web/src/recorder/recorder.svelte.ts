/*
 * Somebody speaks: one recording at a time, in all of the page.
 *
 * It is recorded twice from the first sample on: live, over WebRTC, where the
 * server keeps it and sends captions; and as a copy on this device. Others see
 * that somebody speaks, and hear nothing before it is sent. While it is paused
 * it can be listened to, cut, gone on with, thrown away or sent. If the page
 * goes away, it stays as a draft, on this device and on the server. A draft of
 * this device can be opened again.
 *
 * What may happen when is in states.ts; what a recording does, in take.svelte.ts.
 */
import { hold } from "../state/leave";
import { session } from "../state/session.svelte";
import { barsLeft, lastBars, lastBit, left, shape } from "./cuts";
import { barMS } from "./levels";
import type { Refusal } from "./microphone";
import type { Item } from "./queue";
import { Take } from "./take.svelte";
import type { Caption } from "./whip";

class Recorder {
  /** Why the last one did not begin. */
  private notBegun = $state<Refusal>();
  private take = $state.raw<Take>();
  private ending = 0; // those that are on their way into the outbox

  get phase(): "idle" | "opening" | "recording" | "paused" | "ending" {
    const state = this.take?.state ?? "over";
    return state === "over" ? "idle" : state === "resuming" ? "paused" : state;
  }

  get busy() {
    return this.phase !== "idle";
  }

  /** Whether one may begin: one that is on its way to be sent is in nobody's way. */
  get free() {
    return !this.busy || this.phase === "ending";
  }

  /** Another for each recording. */
  get key(): unknown {
    return this.take;
  }

  /** Whether something is lost if the page goes away now. */
  get open() {
    return this.busy || this.ending > 0;
  }

  /** That of the last one, when there is none. */
  get conversation(): string {
    return this.take?.conversation ?? "";
  }

  get title(): string {
    return this.take?.title ?? "";
  }
  set title(title: string) {
    if (this.take) this.take.title = title;
  }

  get refusal(): Refusal | undefined {
    return this.take?.refusal ?? this.notBegun;
  }
  set refusal(refusal: Refusal | undefined) {
    this.notBegun = refusal;
    if (this.take) this.take.refusal = refusal;
  }

  get warning() {
    return this.take?.warning ?? "";
  }
  get way() {
    return this.take?.live?.way ?? (this.take?.reopened ? "local" : "connecting");
  }
  get captions(): Caption[] {
    return this.take?.live?.captions ?? [];
  }
  get cuts() {
    return this.take?.cuts ?? [];
  }
  get canCut(): boolean {
    return this.take?.canCut ?? false;
  }
  get endingSoon(): boolean {
    return this.take?.live?.endingSoon ?? false;
  }

  /** How much is recorded in tenths of a second, without what was cut. */
  get tenths(): number {
    return this.take?.tenths ?? 0;
  }
  /** How much was recorded, with what was cut, in ms. */
  get total(): number {
    return this.take?.total ?? 0;
  }
  /** How much is safe on the server, in ms. */
  get kept(): number {
    return this.take?.live?.kept ?? 0;
  }
  /** How much is safe on this device, in ms. */
  get saved(): number {
    return this.take?.saved ?? 0;
  }
  /** Whether it stands, and all of it has come from the browser. */
  get complete(): boolean {
    return this.take?.complete ?? false;
  }
  /** Whether this device has no room for it, and only this page has it. */
  get homeless(): boolean {
    return this.take?.homeless ?? false;
  }

  /** How loud it is now, as the meter says. */
  get level(): number {
    return this.bars.at(-1) ?? 0;
  }
  /** The shape of what is left, to be drawn. */
  shape(): number[] {
    return shape(barsLeft(this.bars, this.cuts), 400);
  }
  /** The last bars of what is left, the newest first. */
  lastBars(count: number): number[] {
    return lastBars(this.bars, this.cuts, count);
  }

  /** Begins another, also while the last one is on its way into the outbox. */
  async start(conversation: string) {
    if (!this.free) return;
    this.notBegun = undefined;
    try {
      await this.begin(new Take(conversation)); // at once, while the browser knows that somebody asked for it
    } catch {
      this.notBegun = "unsupported";
    }
  }

  /** Opens a draft of this device again, and goes on with it, if one wants. */
  async reopen(draft: Item, goOn: boolean) {
    if (this.busy) return;
    this.notBegun = undefined;
    try {
      const take = new Take(draft.conversation);
      this.take = take;
      if ((await take.reopen(draft)) && goOn) await take.resume();
    } catch {
      this.notBegun = "unsupported";
    }
  }

  private async begin(take: Take) {
    this.take = take;
    // One that was thrown away meanwhile says nothing of the next.
    if (!(await take.start()) && this.take === take) this.notBegun = take.refusal;
  }

  async pause() {
    await this.take?.pause();
  }
  async resume() {
    await this.take?.resume();
  }
  toggle() {
    void (this.phase === "recording" ? this.pause() : this.resume());
  }

  /** Sends it, by the outbox, which goes on when this page does not. */
  async send() {
    const { take } = this;
    if (!take) return;
    this.ending++;
    try {
      await take.send();
    } finally {
      this.ending--;
    }
  }
  /** Throws it away, here and on the server. */
  async discard() {
    await this.take?.discard();
  }
  /** Throws it away and begins anew. */
  async again() {
    const { take, conversation } = this;
    const gone = take?.discard();
    await Promise.all([gone, this.start(conversation)]);
  }

  /** How much the next cut of the last bit takes, in ms. */
  get lastBit(): number {
    return lastBit(this.lastBars(20_000 / barMS).reverse());
  }
  /** Cuts the last bit, or all behind a place in what is left. */
  cut(place = left(this.total, this.cuts) - this.lastBit) {
    this.take?.cut(place);
  }
  uncut() {
    this.take?.uncut();
  }

  /** What is recorded so far, to listen to. */
  async sound(): Promise<Blob | undefined> {
    return this.take?.sound();
  }

  /** Takes another microphone, or the same in another way. */
  async rehear() {
    if (this.busy) await this.take?.listen();
  }

  /** The page is out of sight, and may be stopped any time, as on a phone that sleeps. */
  hide() {
    this.take?.flush();
  }

  /** The page goes away. */
  leave() {
    this.hide();
    this.take?.leave();
  }

  /** Nobody may speak here any more. */
  signedOut() {
    void this.take?.putAside();
  }

  private get bars(): readonly number[] {
    return this.take?.levels.bars ?? [];
  }
}

export const recorder = new Recorder();

addEventListener("pagehide", () => recorder.leave());
document.addEventListener("visibilitychange", () => document.hidden && recorder.hide());
session.whenOut(() => recorder.signedOut());
hold(() => recorder.open);
