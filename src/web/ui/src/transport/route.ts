// Which request may go over the socket, and as what. Pure: it looks at the request alone.

/** What becomes of a request. */
export type Route =
  | { kind: "http" }
  | { kind: "call"; method: string; path: string; body: string | undefined; headers: Record<string, string> }
  | { kind: "sync"; since: string; timeoutMs: number; key: string };

/** A request, taken apart. */
export interface Asked {
  method: string;
  /** Below the base address, with the query. */
  path: string;
  headers: Headers;
  body: string | undefined;
  /** Whether the body is something that a frame can hold. */
  plain: boolean;
}

const HTTP: Route = { kind: "http" };
const METHODS = new Set(["GET", "PUT", "POST", "DELETE"]);
const CLIENT_API = "/_matrix/client/";
const SYNC = /^\/_matrix\/client\/(?:r0|v3)\/sync$/;

/** The socket has no compression, its session is its token, and it carries JSON alone. */
const ALWAYS_HTTP = [
  /^\/_matrix\/client\/versions$/,
  /^\/_matrix\/client\/[^/]+\/(?:login|register|refresh|logout|account|auth|media)(?:\/|$)/,
  /^\/_matrix\/client\/[^/]+\/rooms\/[^/]+\/(?:messages|members|state)\/?$/,
  /^\/_matrix\/client\/unstable\/(?:org\.matrix\.simplified_msc3575\/sync|chat\.hearth\.websocket\/)/,
];

/** Parameters of /sync that do not make it another sync. */
const PASSING = ["since", "timeout", "_cacheBuster"];

/** The name of a sync: everything that it asks for, but where it stands and how long it waits. */
export function syncKey(path: string): string {
  const { pathname, searchParams } = new URL(path, "http://x");
  for (const name of PASSING) searchParams.delete(name);
  searchParams.sort();
  const query = searchParams.toString();
  return query ? `${pathname}?${query}` : pathname;
}

/** The path that starts the sync `key` at `since`. */
export function syncPath(key: string, since: string): string {
  return `${key}${key.includes("?") ? "&" : "?"}since=${encodeURIComponent(since)}`;
}

/** Decides about a request that bears the socket's token. */
export function routeOf(asked: Asked): Route {
  const { pathname, searchParams } = new URL(asked.path, "http://x");
  if (!METHODS.has(asked.method) || !pathname.startsWith(CLIENT_API)) return HTTP;
  if (SYNC.test(pathname)) {
    const since = searchParams.get("since");
    if (asked.method !== "GET" || !since) return HTTP;
    const timeoutMs = Number(searchParams.get("timeout") ?? 0) || 0;
    return { kind: "sync", since, timeoutMs, key: syncKey(asked.path) };
  }
  if (!asked.plain || ALWAYS_HTTP.some((pattern) => pattern.test(pathname))) return HTTP;
  if (asked.body !== undefined && !isJson(asked.body)) return HTTP;
  const headers: Record<string, string> = {};
  asked.headers.forEach((value, name) => {
    if (!["authorization", "accept", "content-type"].includes(name)) headers[name] = value;
  });
  return { kind: "call", method: asked.method, path: asked.path, body: asked.body, headers };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
