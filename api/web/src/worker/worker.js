/*
 * The service worker: the app's own files, for when there is no connection.
 * What Hark says is never kept here: calls of its API are not touched at all.
 * The build writes the list of files into it.
 */
const files = /* FILES */ [];
const base = new URL("./", self.location.href).pathname; // where the app is, with a slash at its end
const cachePrefix = `hark${base.slice(0, -1)}-`; // another Hark on this host has its own
const cacheName = cachePrefix + /* VERSION */ "";
const pages = /^(?:$|c\/|m\/|search$|settings$)/;
const patience = 3000; // ms for the page, where the connection is hardly one

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(["", ...files].map((file) => new Request(base + file, { cache: file.startsWith("assets/") ? "default" : "reload" })))));
});

// An open page keeps the files that it was made of: the new worker takes over
// when it is told to, or when no page is left.
self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith(cachePrefix) && name !== cacheName).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || !pathname.startsWith(base)) return;
  const name = pathname.slice(base.length);
  if (request.mode === "navigate" && pages.test(name)) event.respondWith(page(request));
  else if (files.includes(name)) event.respondWith(caches.match(pathname).then((kept) => kept ?? fetch(request)));
});

/** The page from Hark; the kept one when it does not come. */
async function page(request) {
  const kept = await caches.match(base);
  const late = kept && new Promise((resolve) => setTimeout(() => resolve(kept), patience));
  const fresh = fetch(request).catch((cause) => {
    if (kept) return kept;
    throw cause;
  });
  return (await Promise.race(late ? [fresh, late] : [fresh])).clone();
}

// The network is back: pages send what waits on this device.
self.addEventListener("sync", (event) => {
  event.waitUntil(self.clients.matchAll().then((open) => open.forEach((client) => client.postMessage("send"))));
});
