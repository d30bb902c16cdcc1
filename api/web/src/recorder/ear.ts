/*
 * The way of the sound in the page: microphone, meter, and one stream that the
 * live connection and the copy both take, so that the microphone may change
 * while they go on.
 */

/** Some systems leave us waiting while the call goes on. */
const patience = 2000; // ms

export class Ear {
  // Nobody hears it at once: rather late than with gaps on a busy machine.
  private readonly context = new AudioContext({ latencyHint: "playback" });
  private readonly meter = this.context.createAnalyser();
  private readonly out = this.context.createMediaStreamDestination();
  private readonly frame: Float32Array<ArrayBuffer>;
  private source: MediaStreamAudioSourceNode | undefined;
  private stream: MediaStream | undefined;

  /** onStopped tells that the system stopped the sound. */
  constructor(onStopped: () => void) {
    this.context.onstatechange = () => this.context.state !== "running" && this.context.state !== "closed" && onStopped();
    this.meter.fftSize = 4096; // 85 ms: more than between two looks
    this.frame = new Float32Array(this.meter.fftSize);
    this.out.channelCount = 1;
    this.meter.connect(this.out);
  }

  /** What is heard. It stays the same when the microphone changes. */
  get heard(): MediaStream {
    return this.out.stream;
  }

  get microphone(): MediaStreamTrack | undefined {
    return this.stream?.getAudioTracks()[0];
  }

  /** Listens to another microphone. */
  async listenTo(stream: MediaStream) {
    this.source?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = stream;
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.meter);
    await this.context.resume();
  }

  /** Goes on when the system had stopped it, as for a telephone call; whether it lets us. */
  async wake(): Promise<boolean> {
    if (this.context.state !== "running") await Promise.race([this.context.resume().catch(() => {}), new Promise((wake) => setTimeout(wake, patience))]);
    return this.context.state === "running";
  }

  /** The loudest of the last moment, from 0 to 1. */
  peak(): number {
    this.meter.getFloatTimeDomainData(this.frame);
    let peak = 0;
    for (const sample of this.frame) peak = Math.max(peak, Math.abs(sample));
    return Math.min(1, peak);
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.source?.disconnect();
    void this.context.close();
  }
}
