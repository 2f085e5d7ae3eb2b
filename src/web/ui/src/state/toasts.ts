// Short messages at the edge of the window, for what has no other place.

import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  text: string;
  kind: "error" | "info";
}

const SHOWN_MS = 6_000;
const TOASTS_MAX = 3;

export const toasts = signal<Toast[]>([]);
let lastId = 0;

export function toast(text: string, kind: Toast["kind"] = "info"): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.slice(1 - TOASTS_MAX), { id, text, kind }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((entry) => entry.id !== id);
}

/** Shows what went wrong in words for a person. */
export function toastError(what: string, error: unknown): void {
  toast(`${what} ${reasonOf(error)}`, "error");
}

export function reasonOf(error: unknown): string {
  const { errcode, data } = error as { errcode?: string; data?: { error?: string } };
  if (errcode === "M_LIMIT_EXCEEDED") return "That was too fast. Wait a moment and try again.";
  if (data?.error) return data.error;
  if (error instanceof Error && error.message) {
    return error.name === "ConnectionError" ? "The server cannot be reached." : error.message;
  }
  return "Something went wrong.";
}
