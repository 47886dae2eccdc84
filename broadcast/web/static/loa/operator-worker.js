/* Service worker of the operator's page: the page and the saved bulletins open without a network.
   Saved bulletins answer Range requests with 206, which audio elements need to seek (and Safari to play at all). */
"use strict";

const PAGE = "loa-page";
const CLIPS = "loa-clips";
const PATIENCE = 4000; // milliseconds a weak network gets before the saved page is shown

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (/^\/loa\/ban-tin\/\d+\.mp3$/.test(url.pathname)) {
    if (!url.search) event.respondWith(clip(request));
  } else if (request.mode === "navigate" && url.pathname === "/loa/") {
    event.respondWith(page(request));
  } else if (request.mode !== "navigate" && url.pathname.startsWith("/static/")) {
    event.respondWith(asset(event));
  }
});

async function clip(request) {
  const saved = await (await caches.open(CLIPS)).match(request.url);
  if (!saved) return fetch(request);
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("Range") || "");
  if (!range || (!range[1] && !range[2])) return saved;
  const blob = await saved.blob();
  const first = range[1] ? Number(range[1]) : Math.max(blob.size - Number(range[2]), 0);
  const end = range[1] && range[2] ? Math.min(Number(range[2]) + 1, blob.size) : blob.size;
  if (first >= end) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${blob.size}` } });
  return new Response(blob.slice(first, end, "audio/mpeg"), {
    status: 206,
    headers: {
      "Content-Type": "audio/mpeg",
      "Accept-Ranges": "bytes",
      "Content-Length": String(end - first),
      "Content-Range": `bytes ${first}-${end - 1}/${blob.size}`,
    },
  });
}

async function page(request) {
  const cache = await caches.open(PAGE);
  const network = fetch(request).then((response) => {
    if (response.ok && response.type === "basic") cache.put(request.url, response.clone());
    return response;
  });
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const saved = () => cache.match(request.url).then((found) => found || cache.match("/loa/", { ignoreSearch: true }));
  try {
    const first = await Promise.race([network, late.then(saved)]);
    return first || (await network);
  } catch (error) {
    const found = await saved();
    if (found) return found;
    throw error;
  }
}

async function asset(event) {
  const cache = await caches.open(PAGE);
  const saved = await cache.match(event.request.url);
  const network = fetch(event.request).then((response) => {
    if (response.ok) cache.put(event.request.url, response.clone());
    return response;
  });
  if (!saved) return network;
  event.waitUntil(network.catch(() => undefined));
  return saved;
}
