/* Has the app work without a connection. */
import { base } from "../base";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The one address that may become a script, for the page's policy. */
function trusted(): string {
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  return types ? types.createPolicy("hark-worker", { createScriptURL: () => `${base}/worker.js` }).createScriptURL("") : `${base}/worker.js`;
}

/** Registers the worker, and returns a way to look for a new one. */
export async function register(): Promise<() => void> {
  if (!("serviceWorker" in navigator)) return () => {};
  const registration = await navigator.serviceWorker.register(trusted());
  return () => void registration.update().catch(() => {}); // offline, or it finds no room
}
