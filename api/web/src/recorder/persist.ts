/* Asks the browser to keep what is on this device, also when it runs short of room. */

let asked = false;

/** Once a page, when there is something to keep: some browsers ask people. */
export function keepStored() {
  if (asked) return;
  asked = true;
  void navigator.storage?.persist?.().catch(() => {}); // it keeps it while there is room
}
