/* Of several tabs one plays: where a message begins, the others are silent. */

/** Says that sound begins here, and calls back when it begins in another tab. */
export function oneTab(silence: () => void): () => void {
  if (!("BroadcastChannel" in globalThis)) return () => {};
  const channel = new BroadcastChannel("hark.player");
  channel.addEventListener("message", silence);
  return () => channel.postMessage("plays");
}
