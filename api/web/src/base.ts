/* The path below which this Hark is, without a slash at its end; empty at the root of its host. */
export const base = typeof document === "undefined" ? "" : (document.documentElement.dataset.base ?? "");
