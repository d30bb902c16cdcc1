/*
 * The copy on this device: what is said goes into IndexedDB twice a second,
 * from the first sample on, so that a page that dies loses half a second.
 * Recording begins, pauses and ends at once; only the writing takes its time.
 */
import type { Item } from "./queue";
import { RecordingClock } from "./recordingclock";
import * as draftStore from "./draftStore";
import { isWebM, WebMLength } from "./webm";

const slice = 500;
const forms = ["audio/webm;codecs=opus", "audio/mp4;codecs=mp4a.40.2", "audio/mp4", "audio/ogg;codecs=opus"];

/** How much may be on its way through the encoder, in ms. */
const encodingMS = 150;
/** How often the browser is asked for more when it has none, and how long it may take each time, in ms. */
const tries = 5;
const patience = 3000;

interface Hears {
  /** No more can be kept on the device; said once. */
  onNoRoom(): void;
  /** The browser does not record any more, though nobody told it to stop. */
  onEnded(): void;
}

interface Piece {
  n: number;
  body: ArrayBuffer | Blob;
  ms: number; // of the recording, up to its end
  bytes: number;
}

export class Copy {
  readonly clock: RecordingClock;
  private readonly recorder: MediaRecorder;
  private length: WebMLength | undefined; // where one can look into it
  private arrived: Promise<unknown> = Promise.resolve();
  private fetched: Promise<unknown> = Promise.resolve();
  private written: Promise<unknown>;
  private pieces: number;
  private readonly earlier: number; // ms that were recorded before the browser began
  private ending = false;
  private dropped = false;
  private failed = false;
  /** The item as it is on this device. */
  item: Item;
  /** How much of it is on the device, in ms. */
  saved = 0;

  /**
   * sound is the clock of what comes through, in ms. Nothing is written before
   * held is settled. Of an item that is gone on with, next is the number of the
   * next piece: it begins a part of its own.
   */
  constructor(stream: MediaStream, item: Item, sound: () => number, held: Promise<unknown>, private readonly hears: Hears, next?: number) {
    const mimeType = forms.find((form) => MediaRecorder.isTypeSupported(form));
    this.recorder = new MediaRecorder(stream, { ...(mimeType && { mimeType }), audioBitsPerSecond: 48_000 });
    const mime = this.recorder.mimeType || mimeType || "";
    this.item = { ...item, mime, ...(next !== undefined && { parts: [...(item.parts ?? []), next] }) };
    this.pieces = next ?? 0;
    this.earlier = item.ms;
    this.length = isWebM(mime) ? new WebMLength() : undefined;
    this.clock = new RecordingClock(sound, item.ms);
    this.written = held;
    this.recorder.ondataavailable = ({ data }) => this.keep(data);
    this.recorder.onerror = () => this.ended();
    this.recorder.onstop = () => this.ended();
  }

  start() {
    this.recorder.start(slice);
    this.clock.run();
    void this.save({});
  }

  /** Whether it stands, and all of it has come from the browser: before that its length may change. */
  get complete(): boolean {
    return this.clock.complete;
  }

  /** Records no more from now on; settled once what there is so far is on the device. */
  async pause() {
    if (this.recorder.state !== "recording") return;
    this.recorder.pause();
    const all = this.clock.stand();
    await this.flush();
    all();
  }

  /** Goes on; false says that the browser does not. */
  resume(): boolean {
    if (this.recorder.state === "paused") this.recorder.resume();
    else if (this.recorder.state === "inactive" && !this.ending) this.recorder.start(slice); // of what was opened again
    if (this.recorder.state !== "recording") return false;
    this.clock.run();
    return true;
  }

  /** Ends it; all is on the device then. */
  async stop() {
    const all = this.end();
    if (this.recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
      this.recorder.stop();
      await stopped;
    }
    await this.settled();
    all();
  }

  /** Changes what is known of it. */
  save(change: Partial<Item>): Promise<unknown> {
    this.item = { ...this.item, ...change };
    return this.write();
  }

  /** Ends it and forgets it. */
  async drop() {
    this.dropped = true;
    this.end();
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.written;
    await draftStore.remove(this.item.id);
  }

  /** Has what was recorded so far written. What is asked for meanwhile waits, so that answers are to who asked. */
  async flush() {
    const { ms } = this.clock;
    await (this.fetched = this.fetched.then(() => this.fetch(ms)));
    await this.settled();
  }

  /** Asks the browser for all up to a moment, until it has given that, or nothing more again and again. */
  private async fetch(ms: number) {
    for (let idle = 0; idle < tries && this.recorder.state !== "inactive"; idle++) {
      const { given } = this.clock;
      await this.ask();
      await this.arrived;
      if (this.clock.hasAll(encodingMS, ms)) break;
      if (this.clock.given > given) idle = -1; // what came was asked for before
    }
  }

  private end(): () => void {
    this.ending = true;
    return this.clock.stand();
  }

  private ended() {
    if (this.ending) return;
    this.end();
    this.hears.onEnded();
  }

  private async ask() {
    const came = new Promise((resolve) => {
      this.recorder.addEventListener("dataavailable", resolve, { once: true });
      setTimeout(resolve, patience);
    });
    this.recorder.requestData();
    await came;
  }

  private async settled() {
    await this.arrived;
    await this.written;
  }

  private keep(data: Blob) {
    if (!data.size) return;
    const n = this.pieces++;
    const { ms } = this.clock;
    const piece = this.arrived.then(async (): Promise<Piece> => {
      const body = await data.arrayBuffer().catch(() => data); // a browser short of memory: it is written unread
      this.clock.give(this.lengthWith(body) ?? ms);
      return { n, body, ms: Math.round(this.clock.given), bytes: data.size };
    });
    this.arrived = piece;
    void this.write(piece);
  }

  /** How long it is with this piece; undefined where one can't tell. */
  private lengthWith(body: ArrayBuffer | Blob): number | undefined {
    if (!(body instanceof ArrayBuffer) || !this.length?.push(new Uint8Array(body))) this.length = undefined;
    return this.length && this.earlier + this.length.ms;
  }

  /** Writes it in its turn, with a piece of its sound, if there is one. */
  private write(piece?: Promise<Piece>): Promise<unknown> {
    return (this.written = this.written.then(() => this.put(piece)).catch(() => this.fail()));
  }

  private async put(piece?: Promise<Piece>) {
    const got = await piece;
    if (this.dropped) return;
    if (got) this.item = { ...this.item, bytes: this.item.bytes + got.bytes, ms: got.ms };
    const kept = await draftStore.put(this.item, got && { n: got.n, body: got.body });
    if (!kept) this.fail();
    else if (got) this.saved = got.ms;
  }

  private fail() {
    if (this.failed) return;
    this.failed = true;
    this.hears.onNoRoom();
  }
}
