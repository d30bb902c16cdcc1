/*
 * What events announced and nobody has read yet. Each thing is read until it is
 * there: once more when it was announced while it was being read, and again
 * after a while when reading failed. A thing is in one of three states:
 *
 *   waiting --due--> reading --read--> (gone from here)
 *      ^                |
 *      +-- failed, or announced meanwhile
 */
interface Ports {
  /** Reads one thing. It throws when that failed; what does not exist any more was read. */
  read(key: string): Promise<unknown>;
  later(wait: number, run: () => void): () => void; // returns a way to call it off
  now(): number; // ms
  /** How many are not read yet. */
  onUnread(count: number): void;
}

interface Thing {
  reading: boolean;
  again: boolean; // announced while it was being read
  failures: number;
  due: number; // ms
}

const gather = 60; // ms in which what belongs together is announced
const atOnce = 6;

export class Announced {
  private readonly things = new Map<string, Thing>();
  private callOff: (() => void) | undefined;

  /** @param most so many things or more are read as one, whose key is all */
  constructor(
    private readonly ports: Ports,
    private readonly most = 40,
    private readonly all = "all",
  ) {}

  add(key: string) {
    const due = this.ports.now() + gather;
    const known = this.things.get(key);
    if (known?.reading) known.again = true;
    else this.things.set(key, { reading: false, again: false, failures: 0, due });
    const waiting = [...this.things].filter(([, thing]) => !thing.reading);
    if (key !== this.all && waiting.length > this.most) {
      for (const [one] of waiting) this.things.delete(one);
      this.add(this.all);
      return;
    }
    this.look();
  }

  /** Reads what failed now: the connection is back, or somebody looks. */
  hurry() {
    const now = this.ports.now();
    for (const thing of this.things.values()) thing.due = Math.min(thing.due, now);
    this.look();
  }

  clear() {
    this.things.clear();
    this.look();
  }

  private look() {
    this.callOff?.();
    this.callOff = undefined;
    const now = this.ports.now();
    const things = [...this.things];
    let running = things.filter(([, thing]) => thing.reading).length;
    let next = Infinity;
    for (const [key, thing] of things) {
      if (thing.reading) continue;
      if (thing.due > now) next = Math.min(next, thing.due);
      else if (running < atOnce) {
        running++;
        void this.read(key, thing);
      } // else when one of those that run is done
    }
    if (next < Infinity) this.callOff = this.ports.later(next - now, () => this.look());
    this.ports.onUnread(this.things.size);
  }

  private async read(key: string, thing: Thing) {
    thing.reading = true;
    thing.again = false;
    try {
      await this.ports.read(key);
      thing.failures = 0;
    } catch {
      thing.failures++;
    }
    if (this.things.get(key) !== thing) return; // cleared meanwhile
    thing.reading = false;
    if (thing.failures) thing.due = this.ports.now() + (thing.again ? 0 : pauseAfter(thing.failures));
    else if (thing.again) thing.due = this.ports.now();
    else this.things.delete(key);
    this.look();
  }
}

/** How long to wait after so many failures in a row, in ms. */
export const pauseAfter = (failures: number) => Math.min(30_000, 500 * 2 ** Math.min(failures, 10));
