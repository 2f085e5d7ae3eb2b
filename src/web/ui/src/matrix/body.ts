// The content of a message event as a body that can be shown; content of other people is never trusted.

import { EventType, MsgType, type MatrixEvent } from "matrix-js-sdk/lib/matrix";

import type { Body, MediaInfo } from "./row-types";
import { stripReplyFallback } from "./sanitize";

const BODY_CHARS_MAX = 40_000;
const BIG_EMOJI_MAX = 3;
const segmenter = new Intl.Segmenter();
const made = new WeakMap<object, Body>();

export function bodyOf(event: MatrixEvent): Body {
  if (event.isRedacted()) {
    const because = event.getUnsigned().redacted_because as { sender?: string; content?: { reason?: unknown } } | undefined;
    const reason = because?.content?.reason;
    return { type: "deleted", by: because?.sender, reason: typeof reason === "string" ? reason : undefined };
  }
  if (event.getType() === (EventType.RoomMessageEncrypted as string)) return { type: "encrypted" };
  // An edit brings another content, so what was made of one stays true.
  const content = event.getContent();
  let body = made.get(content);
  if (!body) {
    body = bodyOfContent(event.getType(), content);
    made.set(content, body);
  }
  return body;
}

export function bodyOfContent(type: string, content: Record<string, unknown>): Body {
  const text = textOf(content.body).slice(0, BODY_CHARS_MAX);
  if (type === (EventType.Sticker as string)) return mediaBody("sticker", content, text);
  switch (content.msgtype) {
    case MsgType.Image:
      return mediaBody("image", content, text);
    case MsgType.Video:
      return mediaBody("video", content, text);
    case MsgType.Audio:
      return mediaBody("audio", content, text);
    case MsgType.File:
      return mediaBody("file", content, text);
    case MsgType.Emote:
      return textBody("emote", content, text);
    case MsgType.Notice:
      return textBody("notice", content, text);
    case MsgType.Text:
      return textBody("plain", content, text);
    default:
      return { type: "unknown", text: text || "A message of a kind that is not shown here" };
  }
}

function textBody(style: "plain" | "emote" | "notice", content: Record<string, unknown>, body: string): Body {
  const relation = content["m.relates_to"] as { "m.in_reply_to"?: unknown } | undefined;
  const text = relation?.["m.in_reply_to"] ? stripReplyFallback(body) : body;
  const formatted = content.format === "org.matrix.custom.html" ? textOf(content.formatted_body) : "";
  return { type: "text", style, text, html: formatted || undefined, bigEmoji: !formatted && isBigEmoji(text) };
}

/** A message of one to three emoji and nothing else is shown large. */
export function isBigEmoji(text: string): boolean {
  const trimmed = text.replace(/\s/g, "");
  if (!trimmed || trimmed.length > 64 || !/^\p{Emoji}/u.test(trimmed)) return false;
  const segments = [...segmenter.segment(trimmed)].map((part) => part.segment);
  return segments.length <= BIG_EMOJI_MAX && segments.every((part) => /^\p{RGI_Emoji}$/v.test(part));
}

function mediaBody(type: "image" | "video" | "audio" | "file" | "sticker", content: Record<string, unknown>, body: string): Body {
  const mxc = textOf(content.url);
  // A file that is encrypted has no `url`; without keys it cannot be shown.
  if (content.file) return { type: "encrypted" };
  if (!mxc.startsWith("mxc://")) return { type: "unknown", text: body || "A file without an address" };
  const info = (typeof content.info === "object" && content.info ? content.info : {}) as Record<string, unknown>;
  const filename = textOf(content.filename);
  const thumbnail = textOf(info.thumbnail_url);
  const media: MediaInfo = {
    mxc,
    thumbnail: thumbnail.startsWith("mxc://") ? thumbnail : undefined,
    name: filename || body || "file",
    mimetype: textOf(info.mimetype),
    size: numberOf(info.size),
    width: numberOf(info.w),
    height: numberOf(info.h),
    caption: filename && body && body !== filename ? body : undefined,
  };
  return { type, media };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;
}
