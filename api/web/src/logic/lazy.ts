/*
 * Fetches little things that rows of a list show, a few at a time, those asked
 * for last first: who scrolls fast wants what is in view, not what flew by. What
 * fails is tried again for as long as somebody wants it.
 */
interface Want<T> {
  thens: Set<(value: T) => void>;
  state: "waiting" | "running" | "later";
  failures: number;
}

export class Lazy<T> {
  private readonly kept = new Map<string, T>();
  private readonly wants = new Map<string, Want<T>>();
  private running = 0;

  /** @param tryAgain whether what was thrown may be otherwise the next time */
  constructor(
    private readonly fetch: (key: string) => Promise<T>,
    private readonly atOnce = 4,
    private readonly most = 2000, // kept; the oldest go first
    private readonly tryAgain: (thrown: unknown) => boolean = () => true,
    private readonly later: (run: () => void, wait: number) => void = (run, wait) => void setTimeout(run, wait),
  ) {}

  get(key: string): T | undefined {
    return this.kept.get(key);
  }

  clear() {
    this.kept.clear();
    this.wants.clear();
  }

  /** Calls back when it is there; returns a way to lose interest. */
  want(key: string, then: (value: T) => void): () => void {
    const there = this.kept.get(key);
    if (there !== undefined) {
      then(there);
      return () => {};
    }
    const want = this.wants.get(key) ?? { thens: new Set(), state: "waiting", failures: 0 };
    this.wants.set(key, want);
    want.thens.add(then);
    this.next();
    return () => {
      want.thens.delete(then);
      if (!want.thens.size && want.state !== "running" && this.wants.get(key) === want) this.wants.delete(key);
    };
  }

  private next() {
    while (this.running < this.atOnce) {
      const last = Array.from(this.wants).findLast(([, want]) => want.state === "waiting");
      if (!last) return;
      this.running++;
      void this.run(...last).finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  private async run(key: string, want: Want<T>) {
    want.state = "running";
    try {
      const value = await this.fetch(key);
      if (this.wants.get(key) === want) this.keep(key, value, want);
    } catch (thrown) {
      if (this.wants.get(key) === want) this.failed(key, want, thrown);
    }
  }

  private keep(key: string, value: T, { thens }: Want<T>) {
    this.wants.delete(key);
    this.kept.set(key, value);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value!);
    for (const then of thens) then(value);
  }

  private failed(key: string, want: Want<T>, thrown: unknown) {
    if (!want.thens.size || !this.tryAgain(thrown)) {
      this.wants.delete(key); // the row shows itself without
      return;
    }
    want.state = "later";
    this.later(() => {
      want.state = "waiting";
      this.next();
    }, Math.min(30_000, 1000 * 2 ** want.failures++));
  }
}
