/*
 * The time by the server's clock, for what is shown of times: it goes on by the
 * minute, so that today becomes yesterday at midnight, and is right at once when
 * the page is seen again.
 */
import { serverClock } from "../api/client";

const minute = 60_000;

class Now {
  /** To the minute. */
  at = $state.raw(serverClock.now());
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    if (typeof document === "undefined") return;
    serverClock.onSet = () => this.look();
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    addEventListener("pageshow", () => this.look());
    this.look();
  }

  /** A minute has passed, or an answer told another time. */
  look() {
    const now = serverClock.now();
    if (Math.floor(now.getTime() / minute) !== Math.floor(this.at.getTime() / minute)) this.at = now;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), minute - (now.getTime() % minute) + 50);
  }
}

export const now = new Now();
