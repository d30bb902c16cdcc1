/* Short words about what just happened; read out by screen readers. */
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

  /** Says something for a while; what one may do about it stays until it is done or closed. */
  say(text: string, tone: Notice["tone"] = "plain", act?: Act) {
    const id = ++this.count;
    this.shown = [...this.shown.slice(-2), { id, text, tone, ...(act && { act }) }];
    if (!act) setTimeout(() => this.dismiss(id), tone === "bad" ? 8000 : 3500);
  }

  dismiss(id: number) {
    this.shown = this.shown.filter((notice) => notice.id !== id);
  }

  /** Says what went wrong with something one asked for. */
  fail(thrown: unknown) {
    const trouble = troubleOf(thrown);
    if (trouble.kind === "signed-out") session.end();
    else this.say(explain(trouble), "bad");
  }
}

/** What went wrong and what to do, in a sentence or two. */
export function explain(trouble: Trouble): string {
  return trouble.kind === "refused" ? trouble.message : t.trouble[trouble.kind];
}

export const notices = new Notices();
