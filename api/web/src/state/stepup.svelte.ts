/*
 * Changes for which Hark wants to know once more who it is, by the password or a passkey: it is asked
 * for, and the change is made then. Who proves it at a provider leaves the page, and makes the change again.
 */
import { api, take, troubleOf } from "../api/client";
import { proveByPasskey } from "./passkeys";
import { session } from "./session.svelte";

class StepUp {
  /** Somebody waits to prove who they are. */
  asking = $state(false);
  private answer: { proved: () => void; cancelled: (why: unknown) => void } | undefined;

  constructor() {
    session.whenOut(() => this.cancel());
  }

  /** Makes a change; who does not want to prove who they are makes none (an AbortError). */
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
    this.proved();
  }

  /** Uses a passkey; throws where it was not. */
  async proveByPasskey() {
    await proveByPasskey();
    this.proved();
  }

  private proved() {
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
