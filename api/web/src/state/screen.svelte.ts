/* How much room there is; the same steps as in AppShell.svelte. */
import { MediaQuery } from "svelte/reactivity";

const wide = new MediaQuery("min-width: 760px");
const compact = new MediaQuery("(max-width: 759px), (max-height: 499px)");
const widest = new MediaQuery("min-width: 1160px");

export const screen = {
  /** Room for the list beside what is open. */
  get wide() {
    return wide.current;
  },
  /** A phone, upright or on its side: no room for a record bar and a player. */
  get compact() {
    return compact.current;
  },
  /** Room for a conversation and a transcript beside each other. */
  get widest() {
    return widest.current;
  },
};
