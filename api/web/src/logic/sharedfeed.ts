/*
 * One stream of events for all tabs of a browser: browsers give an origin few
 * connections. One tab leads: it has the stream and passes on what comes. The
 * others follow, and one of them takes over when the leader has closed, crashed
 * or fallen asleep.
 *
 *   stopped --start--> asking --"I lead"--> following
 *                        |  no answer          |  bye, silence, or a leader
 *                        v                     v  that is hidden and not live
 *                     leading <----------------+
 *                        |  a younger leader
 *                        +-----------------> following
 *
 * Two may lead for a moment, which does no harm. What a tab hears is a chain:
 * each event names the place before it, so that a tab which missed one knows.
 */
import type { Feed, HarkEvent, Link, Placed } from "./feed";

type State = "stopped" | "asking" | "following" | "leading";

/** Who leads: the younger, of two. */
interface Leader {
  id: string;
  since: number; // ms
}

const younger = (one: Leader, other: Leader) => one.since > other.since || (one.since === other.since && one.id > other.id);

export type Note =
  | { kind: "who" }
  | { kind: "lead"; leader: Leader; place: string; link: Link; hidden: boolean }
  | ({ kind: "event"; leader: Leader } & Placed)
  | { kind: "gap"; leader: Leader; place: string }
  | { kind: "bye"; leader: Leader };

/** Whether a tab, which may be of another version, says something that is understood. */
export function isNote(said: unknown): said is Note {
  const note = said as { kind?: unknown; leader?: { id?: unknown; since?: unknown } } | null;
  if (note?.kind === "who") return true;
  const { id, since } = note?.leader ?? {};
  return typeof id === "string" && typeof since === "number" && ["lead", "event", "gap", "bye"].includes(String(note?.kind));
}

interface Ports {
  id: string; // of this tab
  /** Tells all other tabs. */
  post(note: Note): void;
  later(wait: number, run: () => void): () => void;
  now(): number; // ms
  hidden(): boolean;
  jitter(): number; // 0 to 1
  feed: Pick<Feed, "start" | "stop" | "check" | "place" | "link" | "stale">;
  onEvent(event: HarkEvent): void;
  onGap(): void;
  onLink(link: Link): void;
}

const answerWithin = 250; // ms; a tab that comes asks who leads
const askEvery = 4000; // ms; who is seen makes sure that the leader lives
const kept = 512; // places that are remembered

export class SharedFeed {
  private state: State = "stopped";
  private leader: Leader | undefined; // whom it follows, or itself
  private place = "";
  private link: Link = "connecting";
  private readonly places = new Set<string>(); // where it was
  private heard = false; // of the leader, since it was asked
  private callOff: (() => void) | undefined;

  constructor(private readonly ports: Ports) {}

  get leads(): boolean {
    return this.state === "leading";
  }

  /** Begins, or goes on where stop left off. */
  start() {
    if (this.state !== "stopped") return;
    this.ask();
  }

  /** Leaves; another tab takes over. */
  stop() {
    if (this.state === "leading") {
      this.ports.feed.stop();
      this.ports.post({ kind: "bye", leader: this.leader! });
    }
    this.become("stopped");
  }

  /** The network is gone, says the device. */
  lost() {
    if (this.state !== "stopped") this.tell("lost");
  }

  /** The network is back, or another one. */
  renew() {
    if (this.state === "leading") this.ports.feed.start();
    else this.check();
  }

  /** Makes sure of the connection now: the page is seen again. */
  check() {
    if (this.state === "leading") this.ports.feed.check();
    else if (this.state === "following") this.probe();
  }

  /** What another tab tells. */
  hear(note: Note) {
    if (this.state === "stopped") return;
    if (note.kind === "who") {
      if (this.state === "leading") this.announce();
    } else if (note.kind === "bye") {
      if (this.state === "following" && note.leader.id === this.leader?.id) this.succeed();
    } else if (this.follows(note)) this.take(note);
  }

  /** What comes of the stream of this tab, while it leads. */
  feeds = {
    onEvent: ({ before, behind, event }: Placed) => {
      this.ports.post({ kind: "event", leader: this.leader!, before, behind, event });
      this.apply(before, behind, event);
    },
    onGap: () => {
      this.ports.post({ kind: "gap", leader: this.leader!, place: this.ports.feed.place });
      this.jump(this.ports.feed.place);
    },
    onLink: (link: Link) => {
      this.stand(this.ports.feed.place); // a stream begins where one left off
      this.tell(link);
      this.announce();
    },
  };

  private become(state: State) {
    this.callOff?.();
    this.callOff = undefined;
    this.state = state;
  }

  private ask() {
    this.become("asking");
    this.ports.post({ kind: "who" });
    this.callOff = this.ports.later(answerWithin, () => this.lead());
  }

  /** The leader has left: one that is seen takes over, rather than one that is not. */
  private succeed() {
    this.become("asking");
    this.callOff = this.ports.later((this.ports.jitter() + Number(this.ports.hidden())) * answerWithin, () => this.lead());
  }

  private lead() {
    this.become("leading");
    this.leader = { id: this.ports.id, since: Math.max(this.ports.now(), (this.leader?.since ?? 0) + 1) };
    this.ports.feed.start(this.place);
    this.tell(this.ports.feed.link);
    this.announce();
  }

  private announce() {
    const { feed } = this.ports;
    const link = feed.link === "live" && feed.stale ? "connecting" : feed.link;
    this.ports.post({ kind: "lead", leader: this.leader!, place: this.place, link, hidden: this.ports.hidden() });
  }

  /** Whether who tells is the one to follow; if so, it does from now on. */
  private follows({ leader }: { leader: Leader }): boolean {
    if (this.state === "leading") {
      if (younger(this.leader!, leader)) {
        this.announce(); // to who thinks that it leads
        return false;
      }
      this.ports.feed.stop();
    } else if (this.state === "following" && younger(this.leader!, leader)) return false;
    if (this.state !== "following") {
      this.become("following");
      this.watch();
    }
    this.leader = leader;
    this.heard = true;
    return true;
  }

  private take(note: Exclude<Note, { kind: "who" | "bye" }>) {
    if (note.kind === "event") this.apply(note.before, note.behind, note.event);
    else if (note.kind === "gap") this.jump(note.place);
    else {
      // A leader that is behind comes here by itself.
      if (note.place && note.place !== this.place && !this.places.has(note.place)) this.jump(note.place);
      this.tell(note.link);
      if (this.link !== "live" && note.hidden && !this.ports.hidden()) this.lead(); // timers of hidden tabs are slow
    }
  }

  private apply(before: string, behind: string, event: HarkEvent) {
    if (behind && this.places.has(behind)) return; // told by the leader before
    if (behind && before !== this.place) this.jump(behind);
    else {
      if (behind) this.stand(behind);
      this.ports.onEvent(event);
    }
  }

  /** Goes to a place without knowing what was between. */
  private jump(place: string) {
    this.stand(place);
    this.ports.onGap();
  }

  private stand(place: string) {
    this.place = place;
    if (!place) return;
    this.places.delete(place);
    this.places.add(place);
    if (this.places.size > kept) this.places.delete(this.places.values().next().value!);
  }

  private tell(link: Link) {
    if (this.link === link) return;
    this.link = link;
    this.ports.onLink(link);
  }

  /** While it is seen, it makes sure now and then that the leader lives. */
  private watch() {
    this.callOff = this.ports.later(askEvery, () => {
      if (this.ports.hidden()) this.watch();
      else this.probe();
    });
  }

  private probe() {
    this.callOff?.();
    this.heard = false;
    this.ports.post({ kind: "who" });
    this.callOff = this.ports.later(answerWithin * 4, () => (this.heard ? this.watch() : this.lead()));
  }
}
