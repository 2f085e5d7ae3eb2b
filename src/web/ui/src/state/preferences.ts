// What a person has chosen on this device.

import { effect, signal, type Signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

function stored<T extends string>(name: string, allowed: readonly T[], fallback: T): Signal<T> {
  const key = `hearth.${name}`;
  const read = localStorage.getItem(key) as T | null;
  const value = signal<T>(read !== null && allowed.includes(read) ? read : fallback);
  effect(() => localStorage.setItem(key, value.value));
  return value;
}

export const theme = stored<Theme>("theme", ["system", "light", "dark"], "system");
export const sound = stored("sound", ["on", "off"], "on");
export const desktop = stored("desktop", ["on", "off"], "off");
export const recentEmoji = signal<string[]>(readRecent());

const RECENT_MAX = 24;

function readRecent(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem("hearth.emoji") ?? "[]");
    return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];
  } catch {
    return [];
  }
}

export function rememberEmoji(emoji: string): void {
  recentEmoji.value = [emoji, ...recentEmoji.value.filter((other) => other !== emoji)].slice(0, RECENT_MAX);
  localStorage.setItem("hearth.emoji", JSON.stringify(recentEmoji.value));
}

/** Lets the page follow the chosen theme. */
export function applyTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const prefersDark = signal(dark.matches);
  dark.addEventListener("change", () => (prefersDark.value = dark.matches));
  effect(() => {
    const isDark = theme.value === "dark" || (theme.value === "system" && prefersDark.value);
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", isDark ? "#191513" : "#fbf8f5");
  });
}
