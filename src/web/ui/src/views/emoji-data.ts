// The emoji by group, from emojibase's English data. Loaded only when somebody opens the picker.

import compact from "emojibase-data/en/compact.json";

export interface Emoji {
  char: string;
  label: string;
  words: string;
}

export interface EmojiGroup {
  name: string;
  icon: string;
  emoji: Emoji[];
}

/** By the numbers of the groups in the data; components (2) are no emoji of their own. */
const GROUPS: Record<number, [string, string]> = {
  0: ["Smileys", "😀"],
  1: ["People", "👋"],
  3: ["Nature", "🌿"],
  4: ["Food", "🍎"],
  5: ["Travel", "🚲"],
  6: ["Activities", "⚽"],
  7: ["Things", "💡"],
  8: ["Symbols", "💛"],
  9: ["Flags", "🏁"],
};

interface Entry {
  unicode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

function build(): EmojiGroup[] {
  const groups = new Map<number, EmojiGroup>();
  for (const [number, [name, icon]] of Object.entries(GROUPS)) groups.set(Number(number), { name, icon, emoji: [] });
  const entries = [...(compact as Entry[])].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  for (const entry of entries) {
    const group = entry.group === undefined ? undefined : groups.get(entry.group);
    const words = [entry.label, ...(entry.tags ?? [])].join(" ").toLowerCase();
    group?.emoji.push({ char: entry.unicode, label: entry.label, words });
  }
  return [...groups.values()];
}

export const emojiGroups = build();

const FOUND_MAX = 120;

export function findEmoji(term: string): Emoji[] {
  const words = term.toLowerCase().split(/\s+/).filter(Boolean);
  const found: Emoji[] = [];
  for (const group of emojiGroups) {
    for (const emoji of group.emoji) {
      if (!words.every((word) => emoji.words.includes(word))) continue;
      found.push(emoji);
      if (found.length >= FOUND_MAX) return found;
    }
  }
  return found;
}
