/*
 * Live events over a stream that breaks: it goes on behind the last event it
 * saw, waits longer after each failure, and gives up a stream on which not even
 * a sign of life comes.
 */
import { SSEParser } from "./sse";

export interface HarkEvent {
  type: string;
  conversation_id?: string;
  message_id?: string;
  data?: Record<string, unknown>;
  at: string;
}

/** An event, with the places before and behind it; behind is empty for what passes and is not kept. */
export interface Placed {
  before: string;
  behind: string;
  event: HarkEvent;
}

/**
 * - connecting: not yet, or for a moment
 * - live: what happens comes at once
 * - delayed: nothing comes for now, though there is a connection, perhaps
 * - lost: there is no connection
 */
export type Link = "connecting" | "live" | "delayed" | "lost";

/** What comes of an attempt to listen. */
export interface Hears {
  onOpen(status: number, retryAfter: number): void; // the head of the answer is there
  onText(text: string): void;
  onEnd(): void; // it has ended, or could not begin
}

interface Ports {
  /** Asks for a stream; returns a way to leave it, after which nothing more is told. */
  open(url: string, hears: Hears): () => void;
  later(wait: number, run: () => void): () => void; // returns a way to call it off
  now(): number; // ms
  jitter(): number; // 0 to 1
  onEvent(event: Placed): void;
  /** Events may be missing: read again what is shown. */
  onGap(): void;
  onLink(link: Link): void;
  /** The server does not know who asks. */
  onSignedOut(): void;
}

/** Signs of life come every 15 seconds. */
const silence = 25_000; // ms
const patience = 12_000; // ms for the first

export class Feed {
  /** Behind the last event; empty before the first is known. */
  place = "";
  link: Link = "connecting";
  private leave: (() => void) | undefined;
  private callOff: (() => void) | undefined;
  private heardAt = 0;
  private begun = false; // something came
  private failures = 0;

  constructor(private readonly ports: Ports) {}

  /** Connects, at once if it was waiting to. */
  start(place = this.place) {
    this.stop();
    this.place = place;
    this.begun = false;
    this.heardAt = this.ports.now();
    if (this.link === "live") this.tell("connecting");
    const parser = new SSEParser({
      onPlace: (id) => (this.place = id),
      onEvent: ({ type, data, id }) => this.heard(type, data, id),
    });
    this.wait(patience);
    this.leave = this.ports.open("/v1/events" + (place ? `?after=${encodeURIComponent(place)}` : ""), {
      onOpen: (status, retryAfter) => this.answered(status, retryAfter),
      onText: (text) => this.came(parser, text),
      onEnd: () => this.failed(),
    });
  }

  /** Disconnects; start goes on where this left off. */
  stop() {
    this.callOff?.();
    this.callOff = undefined;
    this.leave?.();
    this.leave = undefined;
  }

  /** Whether so little came of late that the stream is dead; its timer may be late. */
  get stale(): boolean {
    return this.ports.now() - this.heardAt > silence;
  }

  /** The device slept, perhaps, or the network is back: connects, unless the stream lives. */
  check() {
    if (!this.leave || this.stale) this.start();
  }

  private answered(status: number, retryAfter: number) {
    if (status === 200) return;
    this.stop();
    if (status === 401) return this.ports.onSignedOut();
    // The place is of another workspace, or of a database that is not there any more.
    if (status === 422) this.place = "";
    this.failed({ retryAfter });
  }

  private came(parser: SSEParser, text: string) {
    const first = !this.begun;
    const fresh = !this.place;
    this.begun = true;
    this.heardAt = this.ports.now();
    this.failures = 0;
    this.wait(silence);
    parser.push(text);
    if (!first) return;
    // What is shown was read before this stream began.
    if (fresh) this.ports.onGap();
    this.tell("live");
  }

  private heard(type: string, data: string, id?: string) {
    const before = this.place;
    if (id !== undefined) this.place = id;
    if (type === "reset") this.ports.onGap();
    else this.ports.onEvent({ before, behind: id ?? "", event: JSON.parse(data) as HarkEvent });
  }

  private failed({ retryAfter = 0, silent = false } = {}) {
    this.stop();
    this.failures++;
    if (silent && !this.begun) {
      // Nothing of the stream comes through, though it may be there: what is shown is read instead.
      this.ports.onGap();
      this.tell("delayed");
    } else this.tell(this.failures > 1 ? "lost" : "connecting");
    this.callOff = this.ports.later(Math.max(retryAfter, waitAfter(this.failures, this.ports.jitter())), () => this.start());
  }

  private wait(most: number) {
    this.callOff?.();
    this.callOff = this.ports.later(most, () => this.failed({ silent: true }));
  }

  private tell(link: Link) {
    if (this.link === link) return;
    this.link = link;
    this.ports.onLink(link);
  }
}

/** How long to wait after so many failures in a row, in ms; jitter is from 0 to 1. */
export const waitAfter = (failures: number, jitter = 1) => Math.min(30_000, 1000 * 2 ** Math.max(0, failures - 1)) * (0.5 + jitter / 2);
