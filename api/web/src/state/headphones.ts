/*
 * Headphones that are pulled out: what was for one's own ears is not for the
 * street. Phones pause by themselves; other systems go on through the speakers.
 */
import { type Output, unplugged } from "../logic/outputs";

const outputs = async (): Promise<Output[]> => (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "audiooutput");

/** Calls back when the device that played is gone. */
export function onUnplugged(act: () => void) {
  if (!("mediaDevices" in navigator)) return; // without https there are none
  let known: Promise<Output[]> = outputs().catch(() => []);
  navigator.mediaDevices.addEventListener("devicechange", () => {
    const before = known;
    known = outputs().catch(() => []);
    void Promise.all([before, known]).then(([was, is]) => unplugged(was, is) && act());
  });
}
