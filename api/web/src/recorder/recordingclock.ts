/*
 * The clock of a recording. It runs with the sound that comes through while the
 * browser records, so that it stands when the system gives none. What the
 * browser has given of it is the truth: the clock shown is not far ahead of
 * that, and once it stands and all has come it is as long as that.
 */

/** How far what is shown may be ahead of what the browser has given, on a slow device, in ms. */
const aheadMS = 2500;

export class RecordingClock {
  private before: number; // ms up to when it last stood
  private since: number | undefined; // of the sound, when it went on
  private got: number; // ms
  private turns = 0;
  private whole = false;

  /** sound is the clock of what comes through, in ms; earlier is how much was recorded before. */
  constructor(private readonly sound: () => number, earlier = 0) {
    this.before = this.got = earlier;
  }

  /** How much was recorded, in ms. */
  get ms(): number {
    return this.before + (this.since === undefined ? 0 : Math.max(0, this.sound() - this.since));
  }

  /** The same, but not far ahead of what the browser has given. */
  get shown(): number {
    return Math.min(this.ms, this.got + aheadMS);
  }

  /** How much the browser has given, in ms. */
  get given(): number {
    return this.got;
  }

  /** Whether it stands, and all before that was given. */
  get complete(): boolean {
    return this.whole;
  }

  /** Whether the browser has given nothing for so long that it seems to have stopped. */
  get stuck(): boolean {
    return this.since !== undefined && this.ms - this.got >= 2 * aheadMS;
  }

  /** Whether all is given but for so much. */
  hasAll(but: number, of = this.ms): boolean {
    return this.got >= of - but;
  }

  run() {
    this.turns++;
    this.whole = false;
    this.since ??= this.sound();
  }

  /** Returns how to say that all before was given. It says nothing once the clock went on. */
  stand(): () => void {
    const turn = ++this.turns;
    this.before = this.ms;
    this.since = undefined;
    return () => {
      if (turn !== this.turns) return;
      this.whole = true;
      this.before = this.got;
    };
  }

  /** The browser has given so much in all. */
  give(ms: number) {
    this.got = Math.max(this.got, ms);
    if (this.whole) this.before = this.got;
  }
}
