/* Has the app work without a connection, and tells when there is a new one. */
import { base } from "../base";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The one address that may become a script, for the page's policy. */
function trusted(): string {
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  return types ? types.createPolicy("hark-worker", { createScriptURL: () => `${base}/worker.js` }).createScriptURL("") : `${base}/worker.js`;
}

/** Registers the worker. renewed is called with a way to load the new app, when there is one. */
export async function register(renewed: (load: () => void) => void) {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register(trusted());
  const tell = (waiting: ServiceWorker) =>
    renewed(() => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      waiting.postMessage("take over");
    });
  // The first worker of all has nobody to replace.
  if (registration.waiting && navigator.serviceWorker.controller) tell(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => {
      if (coming.state === "installed" && navigator.serviceWorker.controller) tell(coming);
    });
  });
}
