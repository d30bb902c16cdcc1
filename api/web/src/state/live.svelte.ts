/*
 * The live connection: what happens reaches the library while somebody looks,
 * by one stream of events for all tabs.
 */
import { openStream } from "../api/stream";
import { base } from "../base";
import { Feed, type Link } from "../logic/feed";
import { isNote, SharedFeed } from "../logic/sharedfeed";
import { tellHeard } from "./heard";
import { library } from "./library.svelte";
import { player } from "./player.svelte";
import { session } from "./session.svelte";

class Live {
  link = $state<Link>("connecting");

  /** What may be said of what is shown: live only when all that was announced has been read. */
  get state(): Link | "behind" {
    return this.link === "live" && library.unread > 0 ? "behind" : this.link;
  }
}

export const live = new Live();

/** A page that is hidden for so long, and plays nothing, hears no more until it is seen. */
const patience = 60_000; // ms

const later = (wait: number, run: () => void) => {
  const timer = setTimeout(run, wait);
  return () => clearTimeout(timer);
};

/** Connects, as the user that is signed in; returns a way to stop. */
export function listen(): () => void {
  // Another user's tabs have another channel.
  const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(`hark.events${base}/${session.me?.id}`);
  const feed: Feed = new Feed({
    open: (url, hears) => openStream(base + url, hears),
    later,
    now: () => performance.now(),
    jitter: Math.random,
    onEvent: (event) => shared.feeds.onEvent(event),
    onGap: () => shared.feeds.onGap(),
    onLink: (link) => {
      shared.feeds.onLink(link);
      if (link === "live") session.check(); // the stream is of who is signed in now
    },
    onSignedOut: () => session.end(),
  });
  const shared = new SharedFeed({
    id: Math.random().toString(36).slice(2),
    post: (note) => channel?.postMessage(note),
    later,
    now: () => Date.now(),
    hidden: () => document.hidden,
    jitter: Math.random,
    feed,
    onEvent: (event) => library.hear(event),
    onGap: () => library.reread(),
    onLink: (link) => {
      live.link = link;
      if (link !== "live") return;
      library.hurry();
      void tellHeard(); // what could not be told
    },
  });
  channel?.addEventListener("message", ({ data }: MessageEvent<unknown>) => isNote(data) && shared.hear(data));
  const off = new AbortController();
  watchPage(shared, off.signal);
  shared.start();
  return () => {
    off.abort();
    shared.stop();
    channel?.close();
  };
}

/** Leaves when the page sleeps or goes away, and is back when it is seen. */
function watchPage(shared: SharedFeed, signal: AbortSignal) {
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const sleepLater = () => {
    clearTimeout(hiding);
    if (!document.hidden) return;
    hiding = setTimeout(() => (player.playing ? sleepLater() : shared.stop()), patience);
  };
  const wake = () => {
    shared.start();
    shared.check();
    library.hurry();
  };
  const see = () => {
    sleepLater();
    if (!document.hidden) wake();
  };
  const options = { signal };
  signal.addEventListener("abort", () => clearTimeout(hiding));
  document.addEventListener("visibilitychange", see, options);
  document.addEventListener("freeze", () => shared.stop(), options);
  document.addEventListener("resume", wake, options);
  addEventListener("pagehide", () => shared.stop(), options);
  addEventListener("pageshow", ({ persisted }) => persisted && wake(), options);
  addEventListener("online", () => shared.renew(), options);
  addEventListener("offline", () => shared.lost(), options);
  sleepLater();
}
