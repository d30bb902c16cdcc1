/*
 * Where the rows of a long list stand, when only those in view are drawn: each
 * counts with the height it had when it was last seen, or with an estimate.
 */

/** What is in view, from top to bottom: each row, and how far the view's top is below its own in pixels. */
export type Place = readonly { key: string; gap: number }[];

export class Heights {
  private readonly seen = new Map<string, number>();
  private keys: readonly string[] = [];
  private tops = new Float64Array(1); // tops[i] is the top of row i, the last the height of all
  private stale = false;

  /** @param estimate the height of a row that was not seen yet, in pixels */
  constructor(private readonly estimate: number) {}

  /** Says which rows there are now, from top to bottom. */
  setKeys(keys: readonly string[]) {
    this.keys = keys;
    this.stale = true;
  }

  get count() {
    return this.keys.length;
  }

  /** Notes the height of a row, and says by how much it changed. */
  measure(key: string, height: number): number {
    const before = this.seen.get(key) ?? this.estimate;
    this.seen.set(key, height);
    if (height !== before) this.stale = true;
    return height - before;
  }

  /** The width changed: what was seen is only a hint now. */
  forget() {
    this.seen.clear();
    this.stale = true;
  }

  get total() {
    return this.top(this.keys.length);
  }

  top(index: number): number {
    this.settle();
    return this.tops[Math.min(Math.max(index, 0), this.keys.length)]!;
  }

  /** The row that covers this many pixels from the top. */
  indexAt(y: number): number {
    this.settle();
    let low = 0;
    let high = this.keys.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle]! <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(low, 0);
  }

  private settle() {
    if (!this.stale) return;
    if (this.tops.length <= this.keys.length) this.tops = new Float64Array(this.keys.length * 2 + 1);
    let top = 0;
    for (const [i, key] of this.keys.entries()) {
      this.tops[i] = top;
      top += this.seen.get(key) ?? this.estimate;
    }
    this.tops[this.keys.length] = top;
    this.stale = false;
  }
}
