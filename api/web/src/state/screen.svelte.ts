/* How much room there is; the same steps as in House.svelte. */
import { MediaQuery } from "svelte/reactivity";

const wide = new MediaQuery("min-width: 760px");
const widest = new MediaQuery("min-width: 1160px");

export const screen = {
  /** Room for the list beside what is open. */
  get wide() {
    return wide.current;
  },
  /** Room for a conversation and a transcript beside each other. */
  get widest() {
    return widest.current;
  },
};
