/*
 * Live events over a stream that breaks: it goes on behind the last event it
 * saw, waits longer after each failure, and says when what is shown may be old.
 */
export interface HarkEvent {
  type: string;
  conversation_id?: string;
  message_id?: string;
  data?: Record<string, unknown>;
  at: string;
}

/** The part of EventSource that is used. */
export interface Source {
  readyState: number;
  close(): void;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
}

export type Link = "connecting" | "live" | "lost";

export const eventTypes = [
  "message.created", "message.updated", "message.progress", "message.caption", "message.deleted",
  "conversation.created", "conversation.updated", "conversation.deleted", "reset",
] as const;

interface Ports {
  open(url: string): Source;
  later(wait: number, run: () => void): () => void; // returns a way to call it off
  onEvent(event: HarkEvent): void;
  /** Events may be missing: read again what is shown. */
  onGap(): void;
  onLink(link: Link): void;
}

const closed = 2;

export class Feed {
  private source: Source | undefined;
  private callOff: (() => void) | undefined;
  private lastID = "";
  private failures = 0;

  constructor(private readonly ports: Ports) {}

  /** Connects, at once if it was waiting to. */
  start() {
    this.stop();
    this.ports.onLink("connecting");
    const source = this.ports.open("/v1/events" + (this.lastID ? `?after=${encodeURIComponent(this.lastID)}` : ""));
    this.source = source;
    source.addEventListener("open", () => this.opened());
    source.addEventListener("error", () => this.failed(source));
    for (const type of eventTypes) source.addEventListener(type, (event) => this.heard(type, event));
  }

  /** Disconnects; start goes on where this left off. */
  stop() {
    this.callOff?.();
    this.callOff = undefined;
    this.source?.close();
    this.source = undefined;
  }

  private opened() {
    this.failures = 0;
    // Without the id of an event there is no place to go on from, and what is
    // shown was read before this stream began.
    if (!this.lastID) this.ports.onGap();
    this.ports.onLink("live");
  }

  private heard(type: string, event: MessageEvent<string>) {
    if (event.lastEventId) this.lastID = event.lastEventId;
    if (type === "reset") this.ports.onGap();
    else this.ports.onEvent(JSON.parse(event.data) as HarkEvent);
  }

  private failed(source: Source) {
    if (source !== this.source) return;
    this.failures++;
    this.ports.onLink(this.failures > 1 ? "lost" : "connecting");
    if (source.readyState !== closed) return; // the browser tries again by itself
    source.close();
    this.callOff = this.ports.later(waitAfter(this.failures), () => this.start());
  }
}

/** How long to wait after so many failures in a row, in ms. */
export const waitAfter = (failures: number) => Math.min(30_000, 1000 * 2 ** Math.max(0, failures - 1));
