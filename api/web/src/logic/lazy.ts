/*
 * Fetches little things that rows of a list show, a few at a time, those asked
 * for last first: who scrolls fast wants what is in view, not what flew by.
 */
export class Lazy<T> {
  private readonly kept = new Map<string, T>();
  private readonly waiting = new Map<string, ((value: T) => void)[]>();
  private running = 0;

  constructor(
    private readonly fetch: (key: string) => Promise<T>,
    private readonly atOnce = 4,
    private readonly most = 2000, // kept; the oldest go first
  ) {}

  get(key: string): T | undefined {
    return this.kept.get(key);
  }

  forget(key: string) {
    this.kept.delete(key);
  }

  /** Calls back when it is there; returns a way to lose interest. */
  want(key: string, then: (value: T) => void): () => void {
    const there = this.kept.get(key);
    if (there !== undefined) {
      then(there);
      return () => {};
    }
    const asked = this.waiting.get(key);
    if (asked) asked.push(then);
    else this.waiting.set(key, [then]);
    this.next();
    return () => {
      const left = this.waiting.get(key)?.filter((other) => other !== then);
      if (left?.length) this.waiting.set(key, left);
      else this.waiting.delete(key);
    };
  }

  private next() {
    if (this.running >= this.atOnce) return;
    const key = Array.from(this.waiting.keys()).at(-1);
    if (key === undefined) return;
    const asked = this.waiting.get(key)!;
    this.waiting.delete(key);
    this.running++;
    this.fetch(key)
      .then(
        (value) => {
          this.kept.set(key, value);
          if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value!);
          for (const then of asked) then(value);
        },
        () => {}, // the row shows itself without; it is asked for again when seen again
      )
      .finally(() => {
        this.running--;
        this.next();
      });
  }
}
