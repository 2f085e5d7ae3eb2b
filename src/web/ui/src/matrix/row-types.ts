// What a timeline shows, as plain data: the views know nothing of the SDK.

export interface Reaction {
  key: string;
  count: number;
  /** Our own reaction's event, which taking it back redacts. */
  mine: string | undefined;
  names: string[];
}

export interface MediaInfo {
  mxc: string;
  thumbnail: string | undefined;
  name: string;
  mimetype: string;
  size: number | undefined;
  width: number | undefined;
  height: number | undefined;
  /** Text below it, if it has some of its own. */
  caption: string | undefined;
}

export type Body =
  | { type: "text"; style: "plain" | "emote" | "notice"; text: string; html: string | undefined; bigEmoji: boolean }
  | { type: "image" | "video" | "audio" | "file" | "sticker"; media: MediaInfo }
  | { type: "encrypted" }
  | { type: "deleted"; by: string | undefined; reason: string | undefined }
  | { type: "unknown"; text: string };

/** How far an own message has come. */
export type Delivery = "sending" | "sent" | "failed";

export interface Reader {
  userId: string;
  name: string;
  avatar: string | undefined;
}

export interface Quoted {
  eventId: string;
  sender: string | undefined;
  senderName: string;
  text: string;
}

export interface MessageRow {
  kind: "message";
  /** The same before and after the server has given the event its id. */
  key: string;
  eventId: string;
  ms: number;
  sender: string;
  senderName: string;
  senderAvatar: string | undefined;
  own: boolean;
  /** Whether it begins and ends a group of one person. */
  first: boolean;
  last: boolean;
  body: Body;
  edited: boolean;
  delivery: Delivery;
  /** Whether somebody else has read it, or something behind it. */
  read: boolean;
  error: string | undefined;
  reactions: Reaction[];
  quoted: Quoted | undefined;
  readers: Reader[];
  canEdit: boolean;
  canDelete: boolean;
}

export interface NoticeRow {
  kind: "notice";
  key: string;
  ms: number;
  eventIds: string[];
  texts: string[];
  readers: Reader[];
}

export type Row =
  | MessageRow
  | NoticeRow
  | { kind: "day"; key: string; ms: number }
  | { kind: "unread"; key: string };
