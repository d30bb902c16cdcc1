/* Who is recording in the conversation that is shown. */
import { api, isAbort, type OngoingRecording, take } from "../api/client";

/** How often it is read while somebody records, in ms: that one's server may be gone. */
const again = 30_000;

class Ongoing {
  list = $state.raw<OngoingRecording[]>([]);
  private conversation: string | undefined;
  private turn = 0; // of asking: an answer that comes after its turn is not wanted
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Keeps the list for a conversation; returns a way to stop. */
  watch(conversation: string): () => void {
    this.conversation = conversation;
    this.list = [];
    void this.read();
    return () => {
      if (this.conversation !== conversation) return;
      this.conversation = undefined;
      this.turn++;
      clearTimeout(this.timer);
      this.list = [];
    };
  }

  /** Something changed, in this conversation or who knows where. */
  hear(conversation?: string) {
    if (!conversation || conversation === this.conversation) void this.read();
  }

  private async read() {
    const { conversation } = this;
    if (!conversation) return;
    const turn = ++this.turn;
    clearTimeout(this.timer);
    try {
      const { items } = await take(api.GET("/v1/conversations/{id}/recordings", { params: { path: { id: conversation } } }));
      if (turn === this.turn) this.list = items;
    } catch (thrown) {
      // Who it is that records is not known any more, which is no matter for words.
      if (turn === this.turn && !isAbort(thrown)) this.list = [];
    }
    if (turn === this.turn && this.list.length) this.timer = setTimeout(() => void this.read(), again);
  }
}

export const ongoing = new Ongoing();
