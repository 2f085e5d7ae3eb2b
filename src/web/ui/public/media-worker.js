// Adds the access token to requests for media, which an <img> or <video> cannot do by itself.
// It asks the page for the token each time and keeps nothing.

const MEDIA = "/_matrix/client/v1/media/";
const ASK_MS_MAX = 3000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin || !url.pathname.startsWith(MEDIA)) return;
  if (event.request.method !== "GET" || event.request.headers.has("authorization")) return;
  event.respondWith(fetchWithToken(event));
});

async function fetchWithToken(event) {
  const client = await self.clients.get(event.clientId);
  const token = client && (await askToken(client));
  if (!token) return new Response(null, { status: 401 });
  const headers = new Headers({ authorization: `Bearer ${token}` });
  const range = event.request.headers.get("range");
  if (range) headers.set("range", range);
  return fetch(event.request.url, { headers, credentials: "omit", redirect: "follow" });
}

function askToken(client) {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    const timer = setTimeout(() => resolve(undefined), ASK_MS_MAX);
    channel.port1.onmessage = (event) => {
      clearTimeout(timer);
      resolve(event.data.token);
    };
    client.postMessage({ ask: "token" }, [channel.port2]);
  });
}
