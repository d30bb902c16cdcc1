/* The screen stays on while somebody speaks, as far as the system lets it. */

/** Returns a way to let it sleep. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  const over = new AbortController();
  // The system takes it away from a page that is out of sight.
  const ask = () => {
    if (document.hidden) return;
    navigator.wakeLock?.request("screen").then(
      (got) => (over.signal.aborted ? void got.release() : (lock = got)),
      () => {}, // it goes on recording all the same
    );
  };
  document.addEventListener("visibilitychange", ask, { signal: over.signal });
  ask();
  return () => {
    over.abort();
    void lock?.release();
  };
}
