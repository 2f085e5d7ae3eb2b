// How people, rooms, times and sizes are written.

/** The part of a user id before the colon. */
export function localpart(userId: string): string {
  return /^@([^:]*):/.exec(userId)?.[1] || userId;
}

/** One or two letters for who has no picture; at most one where there is room for no more. */
export function initials(name: string, most: 1 | 2 = 2): string {
  const words = name.replace(/^[@#!+]/, "").split(/[\s._-]+/u).filter(Boolean);
  const first = [words[0], words.length > 1 && most > 1 ? words[words.length - 1] : undefined];
  const text = first.map((word) => (word ? firstLetter(word) : "")).join("");
  return text.toUpperCase() || "?";
}

const letters = new Intl.Segmenter();

/** The first letter as a person sees it, with all that belongs to it. */
function firstLetter(word: string): string {
  // A list has a thousand names, and of most the first letter is seen without a segmenter.
  if (/^[\x21-\x7e](?:[\x21-\x7e]|$)/.test(word)) return word.charAt(0);
  for (const part of letters.segment(word)) return part.segment;
  return "";
}

const TONES = 8;

/** Which of the palette's colours somebody has, always the same. */
export function toneOf(id: string): number {
  let hash = 7;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)!) >>> 0;
  return hash % TONES;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const longWeekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const wholeDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

const DAY_MS = 86_400_000;

function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** Days between two times by the calendar. */
export function daysBetween(earlierMs: number, laterMs: number): number {
  return Math.round((midnight(laterMs) - midnight(earlierMs)) / DAY_MS);
}

export function clockTime(ms: number): string {
  return clock.format(ms);
}

/** For a tooltip. */
export function exactTime(ms: number): string {
  return exact.format(ms);
}

/** For the list of conversations: the time today, the weekday this week, else the date. */
export function shortTime(ms: number, nowMs: number): string {
  const days = daysBetween(ms, nowMs);
  if (days <= 0) return clock.format(ms);
  return days < 7 ? weekday.format(ms) : dayAndMonth.format(ms);
}

/** For the line between two days. */
export function dayName(ms: number, nowMs: number): string {
  const days = daysBetween(ms, nowMs);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return days > 1 && days < 7 ? longWeekday.format(ms) : wholeDay.format(ms);
}

/** "2 minutes ago", for somebody who was here. */
export function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return hours === 1 ? "1 hour ago" : `${hours} hours ago`;
  const days = Math.floor(hours / 24);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB"];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** "Ann", "Ann and Ben", "Ann, Ben and 3 others". */
export function listNames(names: string[], shownMax = 3): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (names.length === 1) return first;
  if (names.length === 2) return `${first} and ${second}`;
  const shown = names.slice(0, shownMax);
  const rest = names.length - shown.length;
  if (rest === 0) return `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
  return `${shown.join(", ")} and ${rest} ${rest === 1 ? "other" : "others"}`;
}
