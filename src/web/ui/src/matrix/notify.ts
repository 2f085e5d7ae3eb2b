// Telling a person of what is new: sound, desktop notification, title, icon. Never of the room in view.

import { effect } from "@preact/signals";
import { RoomEvent, type MatrixClient, type MatrixEvent, type Room } from "matrix-js-sdk/lib/matrix";

import { isMessage, previewOf } from "./describe";
import type { Conversation } from "./rooms";
import { nameIn } from "./rooms";

export interface NotifySettings {
  sound(): boolean;
  desktop(): boolean;
  /** The room that is in view, in a window that has the focus. */
  roomInView(): string | undefined;
  open(roomId: string): void;
}

/** An event that is older than this was not just sent. */
const FRESH_MS_MAX = 60_000;

export function startNotifying(client: MatrixClient, settings: NotifySettings): () => void {
  const onTimeline = (
    event: MatrixEvent,
    room: Room | undefined,
    toStart: boolean | undefined,
    _removed: boolean,
    data: { liveEvent?: boolean },
  ): void => {
    if (!room || toStart || !data.liveEvent || !isMessage(event)) return;
    if (event.getSender() === client.getUserId() || event.getRelation()?.rel_type === "m.replace") return;
    if (Date.now() - event.getTs() > FRESH_MS_MAX || settings.roomInView() === room.roomId) return;
    if (!client.getPushActionsForEvent(event)?.notify) return;
    if (settings.sound()) playSound();
    if (settings.desktop()) showNotification(event, room, settings);
  };
  client.on(RoomEvent.Timeline, onTimeline);
  return () => client.off(RoomEvent.Timeline, onTimeline);
}

function showNotification(event: MatrixEvent, room: Room, settings: NotifySettings): void {
  if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
  const sender = nameIn(room, event.getSender()!);
  const title = room.getJoinedMemberCount() > 2 ? `${sender} in ${room.name}` : sender;
  try {
    const shown = new Notification(title, { body: previewOf(event), tag: room.roomId, icon: "./hearth.svg" });
    shown.onclick = () => {
      globalThis.focus();
      settings.open(room.roomId);
      shown.close();
    };
  } catch {
    // Some browsers allow notifications only to a worker.
  }
}

let audio: AudioContext | undefined;

/** Two short soft notes, made here, so that no file is needed. */
function playSound(): void {
  try {
    audio ??= new AudioContext();
    const { currentTime: now } = audio;
    for (const [at, hertz] of [
      [0, 660],
      [0.11, 880],
    ] as const) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0, now + at);
      volume.gain.linearRampToValueAtTime(0.08, now + at + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.0001, now + at + 0.25);
      tone.connect(volume).connect(audio.destination);
      tone.start(now + at);
      tone.stop(now + at + 0.3);
    }
    globalThis.dispatchEvent(new CustomEvent("hearth:sound"));
  } catch {
    // No sound device, or none allowed before the first click.
  }
}

/** Unread messages of all conversations; an invitation counts as one. */
export function countUnread(conversations: Conversation[]): number {
  return conversations.reduce((sum, entry) => sum + (entry.membership === "invite" ? 1 : entry.unread), 0);
}

/** Keeps title and icon at the number of unread messages. */
export function startCounting(conversations: () => Conversation[]): () => void {
  let shown = -1;
  return effect(() => {
    const count = countUnread(conversations());
    if (count === shown) return;
    shown = count;
    document.title = count > 0 ? `(${count > 999 ? "999+" : count}) Hearth` : "Hearth";
    void drawIcon(count);
  });
}

const ICON_PX = 64;
const OLD_ICON_MS = 60_000;
let lastIcon: string | undefined;
let plainIcon: Promise<HTMLImageElement> | undefined;
let iconTurn = 0;

/** The icon without a number, loaded once; where that fails (the server is down, say), the next call tries again. */
function loadPlainIcon(url: string): Promise<HTMLImageElement> {
  plainIcon ??= (async () => {
    const image = new Image(ICON_PX, ICON_PX);
    image.src = url;
    await image.decode();
    return image;
  })().catch((error: unknown) => {
    plainIcon = undefined;
    throw error;
  });
  return plainIcon;
}

async function drawIcon(count: number): Promise<void> {
  const turn = (iconTurn += 1);
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link) return;
  const plain = link.dataset.plain ?? link.href;
  link.dataset.plain = plain;
  if (count === 0) {
    link.href = plain;
    return;
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: ICON_PX, height: ICON_PX });
  const context = canvas.getContext("2d");
  const image = await loadPlainIcon(plain).catch(() => undefined);
  // A newer count may have come meanwhile.
  if (!context || turn !== iconTurn) return;
  if (image) context.drawImage(image, 0, 0, ICON_PX, ICON_PX);
  context.fillStyle = "#d3301f";
  context.beginPath();
  context.arc(44, 20, 20, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = "#fff";
  context.font = "bold 26px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(count > 9 ? "9+" : String(count), 44, 21);
  canvas.toBlob((blob) => {
    if (!blob || turn !== iconTurn) return;
    const old = lastIcon;
    lastIcon = URL.createObjectURL(blob);
    link.href = lastIcon;
    // The browser may still be reading the one before.
    if (old) setTimeout(() => URL.revokeObjectURL(old), OLD_ICON_MS);
  });
}
