// Where the person is, in the address after `#`: a link can be kept, and the browser's "back" works.

import { signal } from "@preact/signals";

export type Route =
  | { at: "home" }
  | { at: "room"; roomId: string; eventId: string | undefined }
  | { at: "search"; roomId: string | undefined; term?: string | undefined }
  | { at: "sign-in" }
  | { at: "sign-up" };

export function parseRoute(hash: string): Route {
  const parts = hash.replace(/^#?\/?/, "").split("/").map(decode);
  switch (parts[0]) {
    case "room":
      return parts[1] ? { at: "room", roomId: parts[1], eventId: parts[2] || undefined } : { at: "home" };
    case "search":
      return { at: "search", roomId: parts[1] || undefined, term: parts[2] || undefined };
    case "sign-in":
      return { at: "sign-in" };
    case "sign-up":
      return { at: "sign-up" };
    default:
      return { at: "home" };
  }
}

export function formatRoute(route: Route): string {
  switch (route.at) {
    case "room": {
      const room = `#/room/${encodeURIComponent(route.roomId)}`;
      return route.eventId ? `${room}/${encodeURIComponent(route.eventId)}` : room;
    }
    case "search":
      return ["#/search", route.roomId ?? "", route.term ?? ""].map((part, index) => (index ? encodeURIComponent(part) : part)).join("/").replace(/\/+$/, "");
    case "home":
      return "#/";
    default:
      return `#/${route.at}`;
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

export const route = signal<Route>(parseRoute(globalThis.location?.hash ?? ""));

globalThis.addEventListener?.("hashchange", () => (route.value = parseRoute(location.hash)));

export function go(to: Route, how: "push" | "replace" = "push"): void {
  const hash = formatRoute(to);
  if (how === "replace") {
    history.replaceState(null, "", hash);
    route.value = to;
  } else if (location.hash !== hash) {
    location.hash = hash;
  } else {
    route.value = to;
  }
}

export function goToRoom(roomId: string, eventId?: string): void {
  go({ at: "room", roomId, eventId });
}
