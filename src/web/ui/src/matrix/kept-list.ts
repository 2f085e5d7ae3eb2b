// The top of the list of conversations as it was last seen, so that a page shows it at once, while
// the SDK still reads its rooms.

import type { Conversation } from "./rooms";

const KEY = "hearth.chats";
/** More than a window shows. */
const KEPT_MAX = 40;

interface Kept {
  userId: string;
  chats: Conversation[];
}

/** Keeps the first of a list. What cannot be kept is missed by nobody. */
export function keepList(userId: string, list: Conversation[]): void {
  const chats = list
    .filter(({ membership }) => membership === "join")
    .slice(0, KEPT_MAX)
    .map((entry): Conversation => ({ ...entry, presence: "unknown", typing: [] }));
  try {
    localStorage.setItem(KEY, JSON.stringify({ userId, chats } satisfies Kept));
  } catch {
    localStorage.removeItem(KEY);
  }
}

/** What was kept of this person's list. */
export function keptList(userId: string): Conversation[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Kept | null;
    return kept?.userId === userId ? kept.chats : [];
  } catch {
    return [];
  }
}

export function forgetList(): void {
  localStorage.removeItem(KEY);
}
