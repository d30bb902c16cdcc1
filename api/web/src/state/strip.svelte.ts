/*
 * The foot of a phone. What plays is a strip there, and the record bar shrinks
 * meanwhile to its button, which stands at the strip's end.
 */
import { untrack } from "svelte";

import { player } from "./player.svelte";
import { screen } from "./screen.svelte";

class Strip {
  private bars = $state(0); // record bars in the page that have a button

  /** Whether player and record bar share the room. */
  get shared(): boolean {
    return screen.compact && player.message !== undefined && this.bars > 0;
  }

  /** Whether the record button stands in the strip. */
  get shrunk(): boolean {
    return this.shared && player.going;
  }

  /** Tells that there is a record button; returns a way to tell that it is gone. */
  lend(): () => void {
    const count = (by: 1 | -1) => untrack(() => (this.bars += by));
    count(1);
    return () => count(-1);
  }
}

export const strip = new Strip();
