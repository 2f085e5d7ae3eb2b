// What an event says, in a line: for the list of conversations, notices in the timeline, notifications.

import { EventType, MsgType, type MatrixEvent } from "matrix-js-sdk/lib/matrix";

import { localpart } from "./names";
import { stripReplyFallback } from "./sanitize";

/** Who is speaking to whom: names are looked up in the room. */
export interface Naming {
  nameOf(userId: string): string;
  me: string;
}

/** Whether an event stands in the timeline as a message. */
export function isMessage(event: MatrixEvent): boolean {
  const type = event.getType();
  return type === EventType.RoomMessage || type === EventType.RoomMessageEncrypted || type === EventType.Sticker;
}

/** The line of a message for lists and notifications. */
export function previewOf(event: MatrixEvent): string {
  if (event.isRedacted()) return "Message deleted";
  if (event.getType() === EventType.RoomMessageEncrypted) return "Encrypted message";
  if (event.getType() === EventType.Sticker) return "Sticker";
  const content = event.getContent();
  const body = typeof content.body === "string" ? content.body : "";
  switch (content.msgtype) {
    case MsgType.Image:
      return "Photo";
    case MsgType.Video:
      return "Video";
    case MsgType.Audio:
      return "Audio";
    case MsgType.File:
      return `File: ${typeof content.filename === "string" ? content.filename : body || "file"}`;
    default:
      return stripReplyFallback(body).replace(/\s+/g, " ").trim();
  }
}

/** The line of a state event, or `undefined` where nobody needs to be told. */
export function noticeOf(event: MatrixEvent, naming: Naming): string | undefined {
  const sender = event.getSender();
  if (!sender) return undefined;
  const who = sender === naming.me ? "You" : naming.nameOf(sender);
  const content = event.getContent();
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  switch (event.getType()) {
    case EventType.RoomMember:
      return memberNotice(event, naming, who);
    case EventType.RoomCreate:
      return `${who} created this conversation`;
    case EventType.RoomName:
      return text(content.name) ? `${who} named it “${text(content.name)}”` : `${who} removed the name`;
    case EventType.RoomTopic:
      return text(content.topic) ? `${who} set the topic: ${text(content.topic)}` : `${who} removed the topic`;
    case EventType.RoomAvatar:
      return `${who} changed the picture`;
    case EventType.RoomEncryption:
      return `${who} switched on end-to-end encryption`;
    case EventType.RoomTombstone:
      return `${who} moved this room to a new one`;
    default:
      return undefined;
  }
}

function memberNotice(event: MatrixEvent, naming: Naming, who: string): string | undefined {
  const target = event.getStateKey() ?? "";
  const now = event.getContent();
  const before = event.getPrevContent();
  const self = target === event.getSender();
  const shownName = typeof now.displayname === "string" && now.displayname ? now.displayname : undefined;
  const whom = target === naming.me ? "you" : (shownName ?? naming.nameOf(target));
  const you = self && target === naming.me ? "You" : self ? (shownName ?? naming.nameOf(target)) : who;
  const reason = typeof now.reason === "string" && now.reason ? `: ${now.reason}` : "";
  switch (now.membership) {
    case "join":
      return before.membership === "join" ? profileNotice(before, now, you, target) : `${you} joined`;
    case "invite":
      return `${who} invited ${whom}`;
    case "knock":
      return `${you} asked to join${reason}`;
    case "ban":
      return `${who} banned ${whom}${reason}`;
    case "leave":
      if (self) return before.membership === "invite" ? `${you} declined the invitation` : `${you} left`;
      if (before.membership === "ban") return `${who} unbanned ${whom}`;
      return before.membership === "invite" ? `${who} took back the invitation of ${whom}` : `${who} removed ${whom}${reason}`;
    default:
      return undefined;
  }
}

function profileNotice(
  before: Record<string, unknown>,
  now: Record<string, unknown>,
  you: string,
  target: string,
): string | undefined {
  const name = (content: Record<string, unknown>): string =>
    typeof content.displayname === "string" && content.displayname ? content.displayname : localpart(target);
  if (name(before) !== name(now)) return `${name(before)} is now called ${name(now)}`;
  return before.avatar_url !== now.avatar_url ? `${you} changed the profile picture` : undefined;
}
