// What a person does in rooms, over the SDK's client.

import {
  EventStatus,
  EventType,
  MsgType,
  Preset,
  ReceiptType,
  RelationType,
  Visibility,
  type MatrixClient,
  type Room,
} from "matrix-js-sdk/lib/matrix";

import { toHtml } from "./markdown";

const TYPING_MS = 20_000;

/** The content of a text as it was typed. `/me` makes an emote. */
export function textContent(typed: string): Record<string, unknown> {
  const emote = typed.startsWith("/me ");
  const body = emote ? typed.slice(4) : typed;
  const html = toHtml(body);
  const content: Record<string, unknown> = { msgtype: emote ? MsgType.Emote : MsgType.Text, body };
  if (html) Object.assign(content, { format: "org.matrix.custom.html", formatted_body: html });
  return content;
}

/** The content that replaces the text of `eventId`. */
export function editContent(typed: string, eventId: string): Record<string, unknown> {
  const content: Record<string, unknown> = { ...textContent(typed), "m.mentions": {} };
  return {
    ...content,
    body: `* ${content.body as string}`,
    "m.new_content": content,
    "m.relates_to": { rel_type: RelationType.Replace, event_id: eventId },
  };
}

export class Actions {
  private typingIn: string | undefined;
  private typingSince = 0;

  constructor(private readonly client: MatrixClient) {}

  /** Queues a text; it is shown at once and goes out in order. */
  sendText(roomId: string, typed: string, replyTo?: { eventId: string; sender: string }): void {
    const content = textContent(typed);
    content["m.mentions"] = replyTo ? { user_ids: [replyTo.sender] } : {};
    if (replyTo) content["m.relates_to"] = { "m.in_reply_to": { event_id: replyTo.eventId } };
    this.send(roomId, EventType.RoomMessage, content);
  }

  editText(roomId: string, typed: string, eventId: string): void {
    this.send(roomId, EventType.RoomMessage, editContent(typed, eventId));
  }

  sendContent(roomId: string, content: Record<string, unknown>): void {
    this.send(roomId, EventType.RoomMessage, { ...content, "m.mentions": {} });
  }

  react(roomId: string, eventId: string, key: string): void {
    const relation = { rel_type: RelationType.Annotation, event_id: eventId, key };
    this.send(roomId, EventType.Reaction, { "m.relates_to": relation });
  }

  /** Deletes an event; resolves once the server has. */
  async redact(roomId: string, eventId: string): Promise<void> {
    await this.client.redactEvent(roomId, eventId);
  }

  /** Sends what had failed, in its order. */
  retry(room: Room): void {
    for (const event of room.getPendingEvents()) {
      if (event.status === EventStatus.NOT_SENT) this.client.resendEvent(event, room).catch(() => undefined);
    }
  }

  /** Throws away a message that was not sent. */
  discard(room: Room, key: string): void {
    const event = room.getPendingEvents().find((pending) => (pending.getTxnId() ?? pending.getId()) === key);
    if (event) this.client.cancelPendingEvent(event);
  }

  /** Tells the others that everything up to the newest event was read. */
  async markRead(room: Room): Promise<void> {
    const last = room.getLiveTimeline().getEvents().findLast((event) => !event.status);
    const me = this.client.getSafeUserId();
    if (!last || (room.getEventReadUpTo(me) === last.getId() && room.getUnreadNotificationCount() === 0)) return;
    await this.client.sendReadReceipt(last, ReceiptType.Read).catch(() => undefined);
    await this.client.setRoomReadMarkers(room.roomId, last.getId()!).catch(() => undefined);
  }

  /** Somebody types in `roomId`, or, without it, has stopped. */
  typing(roomId: string | undefined): void {
    const before = this.typingIn;
    if (before && before !== roomId) {
      this.client.sendTyping(before, false, 0).catch(() => undefined);
      this.typingIn = undefined;
    }
    if (!roomId || (before === roomId && Date.now() - this.typingSince < TYPING_MS / 2)) return;
    this.typingIn = roomId;
    this.typingSince = Date.now();
    this.client.sendTyping(roomId, true, TYPING_MS).catch(() => undefined);
  }

  /** The direct conversation with somebody: the one that there is, or a new one. */
  async openDirect(userId: string): Promise<string> {
    const directs = this.directs();
    for (const roomId of directs[userId] ?? []) {
      const room = this.client.getRoom(roomId);
      const other = room?.getMember(userId)?.membership;
      if (room?.getMyMembership() === "join" && (other === "join" || other === "invite")) return roomId;
    }
    const { room_id: roomId } = await this.client.createRoom({
      is_direct: true,
      preset: Preset.TrustedPrivateChat,
      visibility: Visibility.Private,
      invite: [userId],
    });
    await this.addDirect(userId, roomId);
    return roomId;
  }

  async createGroup(options: { name: string; topic: string; open: "public" | "private"; invite: string[] }): Promise<string> {
    const isPublic = options.open === "public";
    const { room_id: roomId } = await this.client.createRoom({
      name: options.name,
      topic: options.topic || undefined,
      preset: isPublic ? Preset.PublicChat : Preset.PrivateChat,
      visibility: isPublic ? Visibility.Public : Visibility.Private,
      invite: options.invite,
    });
    return roomId;
  }

  async join(roomIdOrAlias: string): Promise<string> {
    const room = await this.client.joinRoom(roomIdOrAlias);
    return room.roomId;
  }

  /** Accepts an invitation; a direct one is noted as such. */
  async accept(room: Room): Promise<void> {
    const inviter = room.getDMInviter();
    await this.client.joinRoom(room.roomId);
    if (inviter) await this.addDirect(inviter, room.roomId);
  }

  async leave(roomId: string): Promise<void> {
    await this.client.leave(roomId);
    await this.client.forget(roomId).catch(() => undefined);
  }

  async invite(roomId: string, userId: string): Promise<void> {
    await this.client.invite(roomId, userId);
  }

  private directs(): Record<string, string[]> {
    return this.client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
  }

  private async addDirect(userId: string, roomId: string): Promise<void> {
    const directs = this.directs();
    const rooms = directs[userId] ?? [];
    if (rooms.includes(roomId)) return;
    await this.client.setAccountData(EventType.Direct, { ...directs, [userId]: [...rooms, roomId] });
  }

  private send(roomId: string, type: EventType, content: Record<string, unknown>): void {
    // What becomes of it stands in the timeline; the SDK's echo carries the error.
    const sent = this.client.sendEvent(roomId, type as EventType.RoomMessage, content as never);
    sent.catch(() => undefined);
  }
}
