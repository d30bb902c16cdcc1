/*
 * Changes for which Hark wants the password once more: it is asked for, and the
 * change is made then.
 */
import { api, take, troubleOf } from "../api/client";
import { session } from "./session.svelte";

class StepUp {
  /** Somebody waits for the password. */
  asking = $state(false);
  private answer: { proved: () => void; cancelled: (why: unknown) => void } | undefined;

  constructor() {
    session.whenOut(() => this.cancel());
  }

  /** Makes a change; who does not want to give the password makes none (an AbortError). */
  async through<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (thrown) {
      if (troubleOf(thrown).code !== "step_up") throw thrown;
    }
    this.cancel();
    await new Promise<void>((proved, cancelled) => {
      this.answer = { proved, cancelled };
      this.asking = true;
    });
    return await change();
  }

  /** Gives the password; throws where it is wrong. */
  async prove(password: string) {
    await take(api.POST("/v1/step-up", { body: { password } }));
    const { answer } = this;
    this.answer = undefined;
    this.asking = false;
    answer?.proved();
  }

  cancel() {
    const { answer } = this;
    this.answer = undefined;
    this.asking = false;
    answer?.cancelled(new DOMException("cancelled", "AbortError"));
  }
}

export const stepUp = new StepUp();
