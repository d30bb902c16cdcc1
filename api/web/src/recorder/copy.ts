/*
 * The copy on this device: what is said goes into IndexedDB twice a second,
 * from the first sample on, so that a page that dies loses half a second.
 */
import type { Item } from "./queue";
import * as shelf from "./shelf";

const slice = 500;
const forms = ["audio/webm;codecs=opus", "audio/mp4;codecs=mp4a.40.2", "audio/mp4", "audio/ogg;codecs=opus"];

export class Copy {
  private readonly recorder: MediaRecorder;
  private written: Promise<unknown> = Promise.resolve();
  private pieces = 0;
  private dropped = false;
  private failed = false;
  /** The item as it is on this device. */
  item: Item;

  /** elapsed tells how much was recorded by now; onFail, once, that no more can be kept on the device. */
  constructor(stream: MediaStream, item: Omit<Item, "mime" | "bytes" | "ms">, private readonly elapsed: () => number, private readonly onFail: () => void) {
    const mimeType = forms.find((form) => MediaRecorder.isTypeSupported(form));
    this.recorder = new MediaRecorder(stream, { ...(mimeType && { mimeType }), audioBitsPerSecond: 48_000 });
    this.item = { ...item, mime: this.recorder.mimeType || mimeType || "", bytes: 0, ms: 0 };
    this.recorder.ondataavailable = ({ data }) => this.keep(data);
    this.recorder.onerror = () => this.fail();
  }

  start() {
    this.recorder.start(slice);
    this.save({});
  }

  /** What there is so far, on disk. */
  async pause() {
    if (this.recorder.state !== "recording") return;
    await this.flush();
    this.recorder.pause();
  }

  resume() {
    if (this.recorder.state === "paused") this.recorder.resume();
  }

  /** Ends it; all is on disk then. */
  async stop() {
    if (this.recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
      this.recorder.stop();
      await stopped;
    }
    await this.written;
  }

  /** Changes what is known of it. */
  save(change: Partial<Item>): Promise<unknown> {
    this.item = { ...this.item, ...change };
    return this.write();
  }

  /** Ends it and forgets it. */
  async drop() {
    this.dropped = true;
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.written;
    await shelf.remove(this.item.id);
  }

  /** Has what was recorded so far written. */
  async flush() {
    if (this.recorder.state === "inactive") return;
    const came = new Promise((resolve) => {
      this.recorder.addEventListener("dataavailable", resolve, { once: true });
      setTimeout(resolve, 1000);
    });
    this.recorder.requestData();
    await came;
    await this.written;
  }

  private keep(data: Blob) {
    if (!data.size) return;
    this.item = { ...this.item, bytes: this.item.bytes + data.size, ms: Math.max(this.item.ms, this.elapsed()) };
    const n = this.pieces++;
    this.write(data.arrayBuffer().then((body) => ({ n, body })));
  }

  private write(piece?: Promise<{ n: number; body: ArrayBuffer }>): Promise<unknown> {
    const { item } = this;
    return (this.written = this.written
      .then(async () => this.dropped || shelf.put(item, await piece))
      .catch(() => false)
      .then((kept) => kept || this.fail()));
  }

  private fail() {
    if (this.failed) return;
    this.failed = true;
    this.onFail();
  }
}
