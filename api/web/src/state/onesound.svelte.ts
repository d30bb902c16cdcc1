/* A short sound that a button plays and stops. */
import { audioFocus, soundOf } from "./audiofocus";

export class OneSound {
  playing = $state(false);
  private readonly audio = new Audio();
  private readonly inFocus = soundOf(this.audio, () => this.stop());

  constructor(private readonly failed: () => void) {
    this.audio.onended = () => this.stop();
  }

  stop() {
    this.playing = false;
    this.audio.pause();
  }

  async toggle(address: string) {
    if (this.playing) return this.stop();
    this.playing = true;
    audioFocus.play(this.inFocus);
    this.audio.src = address;
    try {
      await this.audio.play();
    } catch (thrown) {
      if (thrown instanceof DOMException && thrown.name === "AbortError") return; // stopped before it began
      this.stop();
      this.failed();
    }
  }
}
