/* Where in the app one is: the address bar is the truth. Addresses here are those below the base. */
import { base } from "../base";

export type Place =
  | { name: "home" }
  | { name: "conversation"; id: string }
  | { name: "message"; id: string }
  | { name: "search" }
  | { name: "settings" }
  | { name: "roster" }
  | { name: "invitations" }
  | { name: "integrations" }
  | { name: "rules" }
  | { name: "audit" }
  | { name: "usage" }
  | { name: "provisioning" }
  | { name: "nowhere" };

const patterns: [RegExp, (id: string) => Place][] = [
  [/^\/$/, () => ({ name: "home" })],
  [/^\/c\/([0-9a-f-]{36})$/, (id) => ({ name: "conversation", id })],
  [/^\/m\/([0-9a-f-]{36})$/, (id) => ({ name: "message", id })],
  [/^\/search$/, () => ({ name: "search" })],
  [/^\/settings$/, () => ({ name: "settings" })],
  [/^\/settings\/members$/, () => ({ name: "roster" })],
  [/^\/settings\/invitations$/, () => ({ name: "invitations" })],
  [/^\/settings\/integrations$/, () => ({ name: "integrations" })],
  [/^\/settings\/rules$/, () => ({ name: "rules" })],
  [/^\/settings\/audit$/, () => ({ name: "audit" })],
  [/^\/settings\/usage$/, () => ({ name: "usage" })],
  [/^\/settings\/provisioning$/, () => ({ name: "provisioning" })],
];

function placeOf(path: string): Place {
  for (const [pattern, place] of patterns) {
    const found = pattern.exec(path);
    if (found) return place(found[1] ?? "");
  }
  return { name: "nowhere" };
}

/** Whether an address below the base, with its query, is a page of the app beyond the first. */
export function isPlace(address: string): boolean {
  const { origin, pathname } = new URL(address, location.origin);
  return address.startsWith("/") && origin === location.origin && !["home", "nowhere"].includes(placeOf(pathname).name);
}

/** The path below the base. Who comes past the proxy that makes it has none. */
const pathOf = ({ pathname }: { pathname: string }) => (pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname);

/** What is kept with each step of the history. */
interface State {
  depth?: number;
  sheet?: string;
}

class Route {
  place = $state.raw(placeOf(pathOf(location)));
  query = $state.raw(new URLSearchParams(location.search));
  /** The name of what lies over the page, to be closed by going back. */
  sheet = $state<string>();
  /** How many steps one can go back without leaving the app. */
  depth = $state(0);
  /** Whether one came here by going back or forth. */
  returned = false;
  private address = location.href; // of what is shown
  private goingBack = false; // the browser does that later
  private afterwards: (() => void) | undefined;

  go(address: string, { replace = false } = {}) {
    if (this.goingBack) return void (this.afterwards = () => this.go(address, { replace }));
    if (replace) history.replaceState({ depth: this.depth }, "", base + address);
    else history.pushState({ depth: ++this.depth }, "", base + address);
    this.returned = replace && this.returned;
    this.sheet = undefined;
    this.read();
  }

  /** Lays something over the page. */
  openSheet(name: string) {
    if (this.goingBack) return void (this.afterwards = () => this.openSheet(name));
    if (this.sheet === name) return;
    history.pushState({ depth: ++this.depth, sheet: name }, "");
    this.sheet = name;
  }

  closeSheet() {
    if (this.sheet === undefined) return;
    this.sheet = undefined;
    this.goingBack = true; // what comes before it did would be taken back instead
    history.back();
  }

  /** The address below the base, as go takes it. */
  get here(): string {
    return pathOf(location) + location.search;
  }

  /** One step back, or up to address for who came in by it. */
  back(address: string) {
    if (this.depth > 0) history.back();
    else this.go(address, { replace: true });
  }

  read() {
    this.address = location.href;
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
    if ((history.state as State | null)?.sheet) history.back(); // what was loaded anew has nothing over it
    addEventListener("popstate", (event) => {
      const { depth = 0, sheet } = (event.state as State | null) ?? {};
      this.depth = depth;
      this.sheet = sheet;
      if (location.href !== this.address) {
        this.returned = true;
        this.read();
      } // else only the sheet came or went
      this.goingBack = false;
      const { afterwards } = this;
      this.afterwards = undefined;
      afterwards?.();
    });
    document.addEventListener("click", this.follow);
  }
}

export const route = new Route();
