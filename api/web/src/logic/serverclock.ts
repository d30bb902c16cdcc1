/*
 * The server's clock, as far as answers tell: a device's own may be days ahead
 * or behind. Each answer bounds the difference; answers together bound it well.
 */
export class ServerClock {
  private low = -Infinity; // of what is to be added to the device's clock, in ms
  private high = Infinity;
  /** Called when it turns out to be later or earlier than it was thought to be. */
  onSet: () => void = () => {};

  /** @param own the device's clock, Unix ms */
  constructor(private readonly own: () => number = Date.now) {}

  /** An answer came, whose Date header tells the second in which it was made. */
  note(date: string | null, asked: number, answered = this.own()) {
    const told = Date.parse(date ?? "");
    if (Number.isNaN(told)) return;
    const [low, high] = [told - answered, told + 1000 - asked];
    const { offset } = this;
    if (low > this.high || high < this.low) [this.low, this.high] = [low, high]; // a clock was set meanwhile
    else [this.low, this.high] = [Math.max(low, this.low), Math.min(high, this.high)];
    if (this.offset !== offset) this.onSet();
  }

  /** What the device's clock lacks, in ms; nothing, as long as it may be right. */
  get offset(): number {
    if (this.low <= 0 && this.high >= 0) return 0;
    return Math.round((this.low + this.high) / 2);
  }

  /** Whether any answer told the time. */
  get known(): boolean {
    return this.low > -Infinity;
  }

  now(): Date {
    return new Date(this.own() + this.offset);
  }

  /** A time that was taken from the device's clock, corrected. */
  corrected(own: Date): Date {
    return new Date(own.getTime() + this.offset);
  }
}
