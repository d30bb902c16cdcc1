/*
 * Whether somebody who came by a link, and has no password, passkey
 * or linked provider, is asked how they will sign in next time. Who does not want to say is
 * asked again after a week.
 */
import { base } from "../base";
import { now } from "./now.svelte";
import { forgetKey, recall, remember } from "./remember";
import { session } from "./session.svelte";

const key = `hark.next-time${base}`;
const pause = 7 * 24 * 60 * 60 * 1000; // ms

class NextTime {
  /** When to ask again, in ms. */
  private again = $state(recall<{ again: number }>(key, ({ again }) => typeof again === "number")?.again ?? 0);

  constructor() {
    session.whenOut(() => {
      this.again = 0;
      forgetKey(key);
    });
  }

  get asks(): boolean {
    return !!session.me?.needs_sign_in && now.at.getTime() >= this.again;
  }

  later() {
    this.again = now.at.getTime() + pause;
    remember(key, { again: this.again });
  }
}

export const nextTime = new NextTime();
