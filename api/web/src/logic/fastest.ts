/* For tests of how time grows: figures are compared within one run only, since machines differ. */

/** The shortest of some runs, in ms. */
export function fastest(run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 7; i++) {
    const began = performance.now();
    run();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}
