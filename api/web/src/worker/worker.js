/*
 * The service worker: the app's own files, for when Hark does not answer, or
 * something else does in its place. What Hark says is never kept here: calls of
 * its API are not touched at all. The build writes the version and the files
 * with their SHA-256 into it, and nothing else is ever kept.
 *
 * A new version takes over at once. The files of those before stay for as long
 * as a page is open that was made of them: each page holds a lock that names
 * its version.
 */
const files = /* FILES */ {};
const version = /* VERSION */ "";
const base = new URL("./", self.location.href).pathname; // where the app is, with a slash at its end
const cachePrefix = `hark${base.slice(0, -1)}-`; // another Hark on this host has its own
const cacheName = cachePrefix + version;
const lockPrefix = `hark-page${base.slice(0, -1)}-`;
const pages = /^(?:$|c\/[^/]+$|m\/[^/]+$|search$|settings(?:\/members|\/invitations|\/audit|\/usage)?$)/;
const past = "network"; // a query with it goes past us: to the page of a network that asks people to sign in
const patience = 3000; // ms for the page, where the connection is hardly one

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim().then(prune)));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, searchParams } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || !pathname.startsWith(base)) return;
  const name = pathname.slice(base.length);
  if (request.mode === "navigate") {
    if (!pages.test(name) || searchParams.has(past)) return;
    event.respondWith(page(request));
  } else if (name.startsWith("assets/") || name in files) event.respondWith(file(request, pathname));
});

// A page is there, and has said of which version it is.
self.addEventListener("message", (event) => event.data === "here" && event.waitUntil(prune()));

// The network is back: pages send what waits on this device.
self.addEventListener("sync", (event) => {
  event.waitUntil(self.clients.matchAll().then((open) => open.forEach((client) => client.postMessage("send"))));
});

/** Keeps all of this version, or nothing. */
async function fill() {
  try {
    const cache = await caches.open(cacheName);
    await Promise.all([fillPage(cache), ...Object.entries(files).map(([name, sum]) => fillFile(cache, name, sum))]);
  } catch (cause) {
    await caches.delete(cacheName);
    throw cause;
  }
}

async function fillPage(cache) {
  const answer = await fetch(new Request(base, { cache: "reload" }));
  const text = await answer.clone().text();
  if (!answer.ok || answer.redirected || !text.includes(`data-version="${version}"`)) throw new Error("the page is not of this version");
  await cache.put(base, answer);
}

/** Keeps a file if it is the one that was built; the browser's own cache may hold what a portal said. */
async function fillFile(cache, name, sum) {
  for (const mode of ["default", "reload"]) {
    const answer = await fetch(new Request(base + name, { cache: mode }));
    const digest = await crypto.subtle.digest("SHA-256", await answer.clone().arrayBuffer());
    if (answer.ok && !answer.redirected && hex(digest) === sum) return cache.put(base + name, answer);
  }
  throw new Error(`${name} is not of this version`);
}

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The page from Hark; the kept one where another answers, or nobody within a while. */
async function page(request) {
  const kept = await caches.match(base, { cacheName });
  if (!kept) return fetch(request);
  const fresh = fetch(request).then((answer) => (usable(answer) ? answer : kept), () => kept);
  return Promise.race([fresh, new Promise((resolve) => setTimeout(resolve, patience, kept))]);
}

/** Whether an answer is Hark's; a proxy that asks for a password has to be let. */
const usable = (answer) => (answer.headers.has("Hark") ? answer.status < 500 : answer.status === 401);

/** A file from our version, or from one before that a page was made of, or from Hark. */
async function file(request, pathname) {
  for (const name of [cacheName, ...(await others())]) {
    const kept = await caches.match(pathname, { cacheName: name });
    if (kept) return kept;
  }
  return fetch(request);
}

/** The caches of other versions. */
async function others() {
  const isOurs = (name) => name.startsWith(cachePrefix) && /^[0-9a-f]{12}$/.test(name.slice(cachePrefix.length));
  return (await caches.keys()).filter((name) => name !== cacheName && isOurs(name));
}

/** Lets go of versions that no page is made of; while one has not said which it is, of none. */
async function prune() {
  const { registration } = self;
  const stale = await others();
  if (!stale.length || registration.installing || registration.waiting) return;
  const { held } = await navigator.locks.query();
  const needed = held.filter((lock) => lock.name.startsWith(lockPrefix)).map((lock) => lock.name.slice(lockPrefix.length));
  const open = (await self.clients.matchAll({ type: "window", includeUncontrolled: true })).filter(isPage);
  if (needed.length < open.length) return;
  await Promise.all(stale.filter((name) => !needed.includes(name.slice(cachePrefix.length))).map((name) => caches.delete(name)));
}

const isPage = ({ url }) => {
  const { pathname } = new URL(url);
  return pathname.startsWith(base) && pages.test(pathname.slice(base.length));
};
