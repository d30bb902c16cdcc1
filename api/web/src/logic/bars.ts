/* A waveform as bars, of which as many are drawn as there is room for. */

/** Joins peaks into this many bars, each as high as its loudest, from 0 to 1. */
export function bars(peaks: readonly number[], count: number): number[] {
  const loudest = Math.max(...peaks, 0.02);
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((i + 1) * peaks.length) / count));
    let high = 0;
    for (let at = from; at < to; at++) high = Math.max(high, peaks[at] ?? 0);
    return Math.sqrt(high / loudest); // as ears weigh it, more or less
  });
}

/** The bars as one path in a box that is as wide as their number and 100 high. */
export function barsPath(heights: readonly number[]): string {
  return heights
    .map((height, i) => {
      const half = Math.max(1, height * 44);
      return `M${i + 0.5} ${(50 - half).toFixed(1)}V${(50 + half).toFixed(1)}`;
    })
    .join("");
}
