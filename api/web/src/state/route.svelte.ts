/* Where in the app one is: the address bar is the truth. Addresses here are those below the base. */
import { base } from "../base";

export type Place =
  | { name: "home" }
  | { name: "conversation"; id: string }
  | { name: "message"; id: string }
  | { name: "search" }
  | { name: "settings" }
  | { name: "nowhere" };

const patterns: [RegExp, (id: string) => Place][] = [
  [/^\/$/, () => ({ name: "home" })],
  [/^\/c\/([0-9a-f-]{36})$/, (id) => ({ name: "conversation", id })],
  [/^\/m\/([0-9a-f-]{36})$/, (id) => ({ name: "message", id })],
  [/^\/search$/, () => ({ name: "search" })],
  [/^\/settings$/, () => ({ name: "settings" })],
];

function placeOf(path: string): Place {
  for (const [pattern, place] of patterns) {
    const found = pattern.exec(path);
    if (found) return place(found[1] ?? "");
  }
  return { name: "nowhere" };
}

/** The path below the base. Who comes past the proxy that makes it has none. */
const pathOf = ({ pathname }: { pathname: string }) => (pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname);

class Route {
  place = $state.raw(placeOf(pathOf(location)));
  query = $state.raw(new URLSearchParams(location.search));
  /** How many steps one can go back without leaving the app. */
  depth = $state(0);
  /** Whether one came here by going back or forth. */
  returned = false;

  go(address: string, { replace = false } = {}) {
    if (replace) history.replaceState({ depth: this.depth }, "", base + address);
    else history.pushState({ depth: ++this.depth }, "", base + address);
    this.returned = replace && this.returned;
    this.read();
  }

  /** One step back, or up to address for who came in by it. */
  back(address: string) {
    if (this.depth > 0) history.back();
    else this.go(address, { replace: true });
  }

  read() {
    this.place = placeOf(pathOf(location));
    this.query = new URLSearchParams(location.search);
  }

  /** Follows links of the app without loading the page anew. */
  follow = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    const path = pathOf(link);
    if (placeOf(path).name === "nowhere") return;
    event.preventDefault();
    this.go(path + link.search, { replace: path + link.search === pathOf(location) + location.search });
  };

  listen() {
    addEventListener("popstate", (event) => {
      this.depth = (event.state as { depth?: number } | null)?.depth ?? 0;
      this.returned = true;
      this.read();
    });
    document.addEventListener("click", this.follow);
  }
}

export const route = new Route();
