// Shows the workstation without a network to a reader who has kept readings for it. The server puts SHELL in front:
// { version, page, files, prefix }. Only the program is cached here: pages, pictures and answers of a person never
// pass through this cache.

const CACHE = `medgen-shell-${SHELL.version}`;
const PATIENCE_MS = 10_000; // a network that swallows everything counts as none
const OPENS = [/^\/$/, /^\/readings\/[0-9a-f-]{36}\/$/, /^\/studies\/[^/]+\/read\/$/];

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await Promise.all([SHELL.page, ...SHELL.files].map(async (url) => {
      // without cookies: the page is nobody's
      const response = await fetch(url, { credentials: "omit", cache: "reload" });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      await cache.put(url, response);
    }));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const old = (await caches.keys()).filter((key) => key.startsWith("medgen-shell-") && key !== CACHE);
    await Promise.all(old.map((key) => caches.delete(key)));
    await self.clients.claim();
  })());
});

async function fromNetworkOr(request, url) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("late")), PATIENCE_MS); });
  try {
    return await Promise.race([fetch(request), late]);
  } catch (error) {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(url);
    if (kept) return kept;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (OPENS.some((pattern) => pattern.test(pathname))) event.respondWith(fromNetworkOr(request, SHELL.page));
  } else if (pathname.startsWith(SHELL.prefix)) event.respondWith(fromNetworkOr(request, pathname));
});
