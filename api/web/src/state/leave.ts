/*
 * Whether the page may be left, or loaded anew: not while it has something that
 * is nowhere else, such as what is being said.
 */
const reasons = new Set<() => boolean>();
const pause = 500; // ms between looks

/** Holds the page for as long as reason says so. */
export function hold(reason: () => boolean) {
  reasons.add(reason);
}

export const held = () => Array.from(reasons).some((reason) => reason());

/** Runs something once the page may be left. */
export function whenFree(run: () => void) {
  if (held()) setTimeout(whenFree, pause, run);
  else run();
}

/** Has the browser ask before it closes a page that is held. */
export function guard() {
  addEventListener("beforeunload", (event) => held() && event.preventDefault());
}
