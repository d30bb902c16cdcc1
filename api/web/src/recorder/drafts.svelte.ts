/*
 * One's drafts on the server: what was recorded and not sent, on whatever
 * device. A draft of which this device has a copy is shown as that.
 */
import { api, type Message, take, troubleOf } from "../api/client";
import { library } from "../state/library.svelte";
import { session } from "../state/session.svelte";
import { outbox } from "./outbox.svelte";

const together = 150; // ms: several events, one reading
const pause = 5000; // ms, where the server is not reached

class Drafts {
  private all = $state.raw<Message[]>([]);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private started = false;

  /** Begins, once a page. */
  start() {
    if (this.started) return;
    this.started = true;
    library.draftsChanged = () => this.soon(together);
    this.soon(0);
  }

  /** Those of which this device has no copy, and that nobody is recording just now. */
  elsewhere(): Message[] {
    const here = new Set(outbox.items.map((item) => item.live?.message));
    return this.all.filter(({ id, state }) => state !== "recording" && !here.has(id));
  }

  private soon(wait: number) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.read(), wait);
  }

  private async read() {
    if (session.phase !== "in") return;
    try {
      const { items } = await take(api.GET("/v1/drafts", { params: { query: { limit: 100 } } }));
      await outbox.read().catch(() => {}); // else a draft of this device would be shown as one of another, with less in it
      this.all = items;
      await outbox.compare(new Set(this.all.map(({ id }) => id)));
    } catch (thrown) {
      if (troubleOf(thrown).kind === "signed-out") session.end();
      else this.soon(pause);
    }
  }
}

export const drafts = new Drafts();
