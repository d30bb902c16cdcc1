/* The shape of a recording that is opened again: as loud as it was, bar by bar. */
import { barMS } from "./levels";

const rate = 8000; // Hz: enough for peaks, and little of it
const longest = 64 << 20; // bytes: what is longer has no shape before one goes on

/** The loudest of each 50 ms, from 0 to 1; none where the browser can't read it. */
export async function barsOf(sound: Blob): Promise<number[]> {
  if (sound.size > longest) return [];
  try {
    const samples = (await new OfflineAudioContext(1, 1, rate).decodeAudioData(await sound.arrayBuffer())).getChannelData(0);
    const step = (rate * barMS) / 1000;
    return Array.from({ length: Math.floor(samples.length / step) }, (_, i) => samples.subarray(i * step, (i + 1) * step).reduce((high, sample) => Math.max(high, Math.abs(sample)), 0));
  } catch {
    return [];
  }
}
