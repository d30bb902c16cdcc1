/* Short words about what just happened; read out by screen readers. */
import { base } from "../base";
import { session } from "./session.svelte";
import { type Trouble, troubleOf } from "../api/client";
import { t } from "../words";

interface Notice {
  id: number;
  text: string;
  tone: "plain" | "bad";
  act?: Act;
}

/** What one may do about it, by a button. */
interface Act {
  text: string;
  run: () => void;
}

class Notices {
  shown = $state.raw<Notice[]>([]);
  private count = 0;

  constructor() {
    session.whenOut(() => (this.shown = []));
  }

  /** Says something for a while; what one may do about it stays until it is done or closed, unless there is a time for it. */
  say(text: string, tone: Notice["tone"] = "plain", act?: Act, lasts = act ? Infinity : tone === "bad" ? 8000 : 3500) {
    const id = ++this.count;
    this.shown = [...this.shown.slice(-2), { id, text, tone, ...(act && { act }) }];
    if (lasts < Infinity) setTimeout(() => this.dismiss(id), lasts);
  }

  dismiss(id: number) {
    this.shown = this.shown.filter((notice) => notice.id !== id);
  }

  /** Says what went wrong with something one asked for. */
  fail(thrown: unknown) {
    const trouble = troubleOf(thrown);
    if (trouble.kind === "signed-out") session.end();
    else if (trouble.kind === "intercepted") this.say(explain(trouble), "bad", { text: t.network, run: openNetwork });
    else this.say(explain(trouble), "bad");
  }
}

/** What went wrong and what to do, in a sentence or two. */
export function explain(trouble: Trouble): string {
  return trouble.kind === "refused" ? trouble.message : t.trouble[trouble.kind];
}

/** The address at which a network that wants people to sign in says so: the worker lets it through. */
export const networkPage = `${base}/?network`;

/** Opens it beside this page, which may be recording. */
const openNetwork = () => void open(networkPage, "_blank", "noopener");

export const notices = new Notices();
