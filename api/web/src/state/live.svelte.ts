/* The live connection: what happens reaches the library while somebody looks. */
import { base } from "../base";
import { Feed, type Link } from "../logic/feed";
import { library } from "./library.svelte";
import { session } from "./session.svelte";

class Live {
  link = $state<Link>("connecting");
}

export const live = new Live();

/** A hidden page keeps its connection this long: browsers give an origin few. */
const patience = 60_000;

/** Connects; returns a way to stop. */
export function listen(): () => void {
  const feed = new Feed({
    open: (url) => new EventSource(base + url),
    later: (wait, run) => {
      const timer = setTimeout(run, wait);
      return () => clearTimeout(timer);
    },
    onEvent: (event) => library.hear(event),
    onGap: () => void library.reread(),
    onLink: (link) => {
      live.link = link;
      if (link === "live") session.confirm();
    },
  });
  let hiding: ReturnType<typeof setTimeout> | undefined;
  let asleep = false;
  const onVisibility = () => {
    clearTimeout(hiding);
    if (document.hidden) {
      hiding = setTimeout(() => {
        asleep = true;
        feed.stop();
      }, patience);
    } else if (asleep) {
      asleep = false;
      feed.start();
    }
  };
  const onOnline = () => feed.start();
  const onOffline = () => (live.link = "lost");
  document.addEventListener("visibilitychange", onVisibility);
  addEventListener("online", onOnline);
  addEventListener("offline", onOffline);
  feed.start();
  return () => {
    feed.stop();
    clearTimeout(hiding);
    document.removeEventListener("visibilitychange", onVisibility);
    removeEventListener("online", onOnline);
    removeEventListener("offline", onOffline);
  };
}
