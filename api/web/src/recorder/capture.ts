/*
 * The way of the sound in the page: microphone, meter, and one stream that the
 * live connection and the copy both take, so that the microphone may change
 * while they go on. It owns what it opened, and closes it, also what comes late.
 */
import { openMicrophone, type Wish } from "./microphone";

/** Some systems leave us waiting while the call goes on. */
const patience = 2000; // ms

interface Hears {
  /** The system stopped the sound. */
  onStopped(): void;
  /** The microphone that is listened to is gone. */
  onUnplugged(): void;
  /** The system says that the microphone is muted, or no longer. */
  onMuted(muted: boolean): void;
}

/** How long after its microphone a page is still there, if it is not being closed. */
const breathMS = 300;

export class Capture {
  // Nobody hears it at once: rather late than with gaps on a busy machine.
  private readonly context = new AudioContext({ latencyHint: "playback" });
  private readonly meter = this.context.createAnalyser();
  private readonly out = this.context.createMediaStreamDestination();
  private readonly frame: Float32Array<ArrayBuffer>;
  private source: MediaStreamAudioSourceNode | undefined;
  private microphone: MediaStream | undefined;
  private asked = 0;
  private latest: Promise<boolean> = Promise.resolve(false);
  private closed = false;

  constructor(private readonly hears: Hears) {
    this.context.onstatechange = () => !this.running && !this.closed && hears.onStopped();
    this.meter.fftSize = 4096; // 85 ms: more than between two looks
    this.frame = new Float32Array(this.meter.fftSize);
    this.out.channelCount = 1;
    this.meter.connect(this.out);
  }

  /** What is captured. It stays the same when the microphone changes. */
  get stream(): MediaStream {
    return this.out.stream;
  }

  /** How much sound came through by now, in ms: it stands while the system gives none. */
  get ms(): number {
    return this.context.currentTime * 1000;
  }

  /** Whether there is a microphone. */
  get alive(): boolean {
    return this.track?.readyState === "live";
  }

  /** Whether the system lets sound through. */
  get running(): boolean {
    return this.context.state === "running";
  }

  /**
   * Opens a microphone and listens to it. Asked for another meanwhile, it waits
   * for that; false says that it was closed first.
   */
  open(wish: Wish): Promise<boolean> {
    return (this.latest = this.openNow(wish, ++this.asked));
  }

  /** Goes on when the system had stopped it, as for a telephone call; whether it lets us. */
  async wake(): Promise<boolean> {
    if (!this.running) await Promise.race([this.context.resume().catch(() => {}), new Promise((wake) => setTimeout(wake, patience))]);
    return this.running;
  }

  /** The loudest of the last moment, from 0 to 1. */
  peak(): number {
    this.meter.getFloatTimeDomainData(this.frame);
    let peak = 0;
    for (const sample of this.frame) peak = Math.max(peak, Math.abs(sample));
    return Math.min(1, peak);
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    stop(this.microphone);
    this.source?.disconnect();
    void this.context.close();
  }

  private get track(): MediaStreamTrack | undefined {
    return this.microphone?.getAudioTracks()[0];
  }

  private async openNow(wish: Wish, turn: number): Promise<boolean> {
    let stream: MediaStream | undefined;
    try {
      stream = await openMicrophone(wish);
    } catch (thrown) {
      if (turn === this.asked && !this.closed) throw thrown;
    }
    if (stream && turn === this.asked && !this.closed) {
      this.listenTo(stream);
      await this.context.resume().catch(() => {}); // closed meanwhile
    } else stop(stream);
    if (this.closed) return false;
    return turn === this.asked || this.latest;
  }

  private listenTo(stream: MediaStream) {
    this.source?.disconnect();
    stop(this.microphone);
    this.microphone = stream;
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.meter);
    const track = stream.getAudioTracks()[0]!;
    const current = () => this.track === track && !this.closed;
    const told = () => current() && this.hears.onMuted(track.muted);
    track.addEventListener("mute", told);
    track.addEventListener("unmute", told);
    // A page that is closed loses its microphone first: it must not make a draft
    // of what it was recording with its last breath.
    track.addEventListener("ended", () => setTimeout(() => current() && this.hears.onUnplugged(), breathMS));
    told();
  }
}

const stop = (stream: MediaStream | undefined) => stream?.getTracks().forEach((track) => track.stop());
