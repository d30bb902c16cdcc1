/*
 * The live recording beside the copy: what the server has of it, the captions,
 * and whether it may be the message in the end.
 */
import { type Live, stalled } from "./decide";
import { type Caption, type News, WhipLink } from "./whip";

/** What it is that takes the words beside the copy. */
export type Way = "connecting" | "live" | "local";

interface Beside {
  /** How much the copy has, in ms. */
  ms(): number;
  /** Whether somebody spoke between two moments of it. */
  voiced(from: number, to: number): boolean;
  /** Writes down what is known of the live recording. */
  onChange(live: Live | undefined): void;
  /** The server ended it. */
  onEnded(reason: string): void;
}

export class LiveRecording {
  way = $state<Way>("connecting");
  captions = $state.raw<Caption[]>([]);
  /** How much is safe on the server, in ms. */
  kept = $state(0);
  endingSoon = $state(false);

  private link: WhipLink | undefined;
  private live: Live | undefined;
  private lost: { at: number; whole: boolean } | undefined; // since when nothing comes through, in ms of the copy, and whether all did before
  private lastKept = performance.now();

  constructor(conversation: string, stream: MediaStream, private readonly beside: Beside) {
    this.link = new WhipLink(conversation, stream, {
      onMessage: (message, address) => this.know({ session: address, message, lead: 0, whole: false }),
      onLive: () => this.connected(),
      onLost: () => this.lose(),
      onBroken: () => this.stop(),
      onNews: (news) => this.hear(news),
    });
  }

  /** Nothing that is said from now on is in it. */
  pause() {
    this.link?.pause();
  }

  resume() {
    this.lastKept = performance.now();
    this.link?.resume();
  }

  /** Looks for it, where the server says nothing new of it while somebody speaks. */
  look() {
    if (this.way === "live" && stalled(performance.now(), this.lastKept, true)) this.link?.revive();
  }

  /** It has all again, unless somebody spoke while it was lost. */
  find() {
    if (!this.lost || !this.live) return;
    const { at, whole } = this.lost;
    this.lost = undefined;
    this.know({ ...this.live, whole: whole && !this.beside.voiced(at, this.beside.ms()) });
  }

  /** From now on the copy alone counts. */
  stop() {
    this.close();
    this.lost = undefined;
    this.way = "local";
    if (this.live) this.know({ ...this.live, whole: false });
  }

  /** Nobody may hear it any more: it is taken back, by who calls this. */
  forget() {
    this.live = undefined;
    this.stop();
    this.beside.onChange(undefined);
  }

  /** Lets go of the connection. */
  close() {
    this.link?.close();
    this.link = undefined;
  }

  /** It comes through, for the first time or again. */
  private connected() {
    const again = this.way !== "connecting";
    this.way = "live";
    this.lastKept = performance.now();
    const lead = this.beside.ms();
    if (again) this.find();
    else this.know({ ...this.live!, lead, whole: !this.beside.voiced(0, lead) });
  }

  /** What is said now the copy alone has, until the network is back. */
  private lose() {
    if (!this.live || this.way === "connecting") return this.stop();
    this.way = "local";
    this.lost = { at: this.live.lead + this.kept, whole: this.live.whole };
    this.know({ ...this.live, whole: false });
  }

  private know(live: Live) {
    this.live = live;
    this.beside.onChange(live);
  }

  private hear(news: News) {
    switch (news.type) {
      case "kept":
        this.kept = news.ms;
        this.lastKept = performance.now();
        break;
      case "caption":
        this.captions = [...this.captions.filter((caption) => caption.segment !== news.segment), news].sort((a, b) => a.segment - b.segment);
        break;
      case "ending":
        this.endingSoon = true;
        break;
      case "ended":
        this.beside.onEnded(news.reason);
    }
  }
}
