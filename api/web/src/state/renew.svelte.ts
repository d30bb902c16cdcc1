/*
 * The app without a connection, and the next version of it. A page goes on with
 * the files that it was made of, which the worker keeps; once the server has
 * others, it offers to load them, and does so when nothing is lost by it.
 */
import { base } from "../base";
import { versionIn } from "../logic/version";
import { t } from "../words";
import { guard, held, whenFree } from "./leave";
import { live } from "./live.svelte";
import { notices } from "./notices.svelte";

const own = () => document.documentElement.dataset.version;
const again = `hark.renewed${base}`; // the version for which this tab was loaded anew by itself
const rest = 60_000; // ms between looks that nothing but time calls for
const patience = 2000; // ms for a new worker to take over
const overdue = 4000; // ms after which a page does not come: the worker has given up long before

let offered = "";
let looked = 0;
let lookForWorker = () => {};

/** Loads the page anew, once nothing is lost by it. */
async function reload() {
  if (held()) notices.say(t.renew.held);
  await settled();
  whenFree(load);
}

/** Loads the page anew; what is asked of a worker that just ends may never come, so it is asked for again. */
function load() {
  location.reload();
  setTimeout(() => location.reload(), overdue);
}

/**
 * Waits while a new worker takes over: a page that is asked for meanwhile may
 * not come. Browsers look whether the one before is done when something ends
 * that it does, so it is given something to do.
 */
async function settled() {
  const registration = await navigator.serviceWorker?.getRegistration();
  const next = registration?.installing ?? registration?.waiting ?? registration?.active;
  if (!registration || !next) return;
  const isOver = () => next.state === "activated" || next.state === "redundant";
  for (const end = Date.now() + patience; !isOver() && Date.now() < end; ) {
    if (next.state === "installed") registration.active?.postMessage("here");
    await new Promise((changed) => {
      next.addEventListener("statechange", changed, { once: true });
      setTimeout(changed, 250);
    });
  }
}

/** The version that the server has; undefined where it is not reached. */
async function there(): Promise<string | undefined> {
  try {
    const answer = await fetch(`${base}/`, { cache: "no-store" });
    return answer.headers.has("Hark") ? versionIn(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}

/** Looks whether the server has another version, and offers it once. */
async function look(): Promise<string | undefined> {
  looked = Date.now();
  lookForWorker();
  const version = await there();
  if (!version || version === own()) return undefined;
  if (version !== offered) notices.say(t.outbox.update, "plain", { text: t.outbox.reload, run: () => void reload() });
  return (offered = version);
}

/** A part of this version is on the server no more: the page is loaded anew, once a version and if nothing is lost. */
async function missed() {
  const version = await look();
  if (!version || sessionStorage.getItem(again) === version) return;
  await settled();
  if (held()) return;
  sessionStorage.setItem(again, version);
  load();
}

/** Begins, once a page. */
export function renew() {
  guard();
  if (import.meta.env.DEV || !own()) return;
  // Says to the worker which version this page needs, for as long as it is there.
  void navigator.locks?.request(`hark-page${base}-${own()}`, { mode: "shared" }, () => new Promise(() => {}));
  addEventListener("vite:preloadError", () => void missed().catch(() => {}));
  navigator.serviceWorker?.addEventListener("controllerchange", () => void look());
  addEventListener("online", () => void look());
  document.addEventListener("visibilitychange", () => document.hidden || Date.now() - looked < rest || void look());
  lookWhenBack();
  // What people came for goes first.
  addEventListener("load", () => setTimeout(() => void begin().catch(() => {}), 3000), { once: true });
}

async function begin() {
  const { register } = await import("../worker/register");
  lookForWorker = await register();
  if (offered) lookForWorker(); // it was seen before there was anybody to look
  navigator.serviceWorker?.controller?.postMessage("here");
}

/** A server that comes back may be another version. */
function lookWhenBack() {
  let connected = false;
  $effect.root(() => {
    $effect(() => {
      if (live.link !== "live") return;
      if (connected) void look();
      connected = true;
    });
  });
}
