// The list of conversations, kept current from the SDK's rooms.

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import {
  ClientEvent,
  Direction,
  EventType,
  NotificationCountType,
  RoomEvent,
  RoomMemberEvent,
  RoomStateEvent,
  SyncState,
  UserEvent,
  type MatrixClient,
  type Room,
  type RoomState,
} from "matrix-js-sdk/lib/matrix";

import { isMessage, noticeOf, previewOf } from "./describe";
import { keepList, keptList } from "./kept-list";
import { localpart } from "./names";

export type Presence = "online" | "away" | "offline" | "unknown";

/** One line of the list. */
export interface Conversation {
  id: string;
  name: string;
  /** `mxc:` address of its picture. */
  avatar: string | undefined;
  membership: "join" | "invite";
  /** The other person of a direct conversation. */
  direct: string | undefined;
  presence: Presence;
  lastText: string;
  lastMs: number;
  unread: number;
  mentioned: boolean;
  encrypted: boolean;
  /** Who invited, with an invitation. */
  inviter: { id: string; name: string } | undefined;
  typing: string[];
}

/** How far back the last message is looked for. */
const PREVIEW_EVENTS_MAX = 50;
/** Between a change and what is kept of it for the next page. */
const KEEP_MS = 2_000;

export class Rooms {
  private readonly entries = new Map<string, Conversation>();
  private readonly dirty = new Set<string>();
  private allDirty = true;
  private scheduled = false;
  /** Whether the SDK has its rooms, from its store or from the server. */
  private ready = false;
  private keeping: ReturnType<typeof setTimeout> | undefined;
  private directs = new Map<string, string>();
  private readonly out: Signal<Conversation[]>;
  /** Newest first, invitations before all. */
  readonly list: ReadonlySignal<Conversation[]>;

  constructor(private readonly client: MatrixClient) {
    this.out = signal(keptList(client.getSafeUserId()));
    this.list = this.out;
    const touch = (roomId: string | undefined): void => this.touch(roomId);
    client.on(RoomEvent.Timeline, (_event, room) => touch(room?.roomId));
    client.on(RoomEvent.Name, (room) => touch(room.roomId));
    client.on(RoomEvent.MyMembership, (room) => touch(room.roomId));
    client.on(RoomEvent.Receipt, (_event, room) => touch(room.roomId));
    client.on(RoomEvent.Redaction, (_event, room) => touch(room.roomId));
    client.on(RoomEvent.LocalEchoUpdated, (_event, room) => touch(room.roomId));
    client.on(RoomEvent.UnreadNotifications as RoomEvent.Name, () => this.touchAll());
    client.on(RoomStateEvent.Events, (event) => touch(event.getRoomId()));
    client.on(RoomMemberEvent.Typing, (_event, member) => touch(member.roomId));
    client.on(UserEvent.Presence, (_event, user) => this.touchDirectsWith(user.userId));
    client.on(UserEvent.CurrentlyActive, (_event, user) => this.touchDirectsWith(user.userId));
    client.on(ClientEvent.Room, (room) => touch(room.roomId));
    client.on(ClientEvent.DeleteRoom, (roomId) => touch(roomId));
    client.on(ClientEvent.Sync, (state) => this.onSync(state));
    client.on(ClientEvent.AccountData, (event) => {
      if (event.getType() === (EventType.Direct as string)) this.touchAll();
    });
  }

  /** Nothing is kept of the list any more. */
  close(): void {
    clearTimeout(this.keeping);
    this.ready = false;
  }

  private onSync(state: SyncState): void {
    if (this.ready || (state !== SyncState.Prepared && state !== SyncState.Syncing)) return;
    this.ready = true;
    this.touchAll();
  }

  /** The other person of a direct conversation. */
  directUser(roomId: string): string | undefined {
    return this.directs.get(roomId);
  }

  touchAll(): void {
    this.allDirty = true;
    this.schedule();
  }

  private touch(roomId: string | undefined): void {
    if (!roomId) return;
    this.dirty.add(roomId);
    this.schedule();
  }

  private touchDirectsWith(userId: string): void {
    for (const [roomId, other] of this.directs) if (other === userId) this.touch(roomId);
  }

  private schedule(): void {
    if (this.scheduled || !this.ready) return;
    this.scheduled = true;
    // A timer, not a frame: the title counts in a hidden tab too.
    setTimeout(() => {
      this.scheduled = false;
      this.renew();
    }, 30);
  }

  private renew(): void {
    if (!this.ready) return;
    if (this.allDirty) {
      this.directs = readDirects(this.client);
      this.entries.clear();
    }
    const rooms = this.allDirty ? this.client.getRooms() : [...this.dirty].map((id) => this.client.getRoom(id) ?? id);
    this.allDirty = false;
    this.dirty.clear();
    for (const room of rooms) {
      const entry = typeof room === "string" ? undefined : this.entryOf(room);
      if (entry) this.entries.set(entry.id, entry);
      else this.entries.delete(typeof room === "string" ? room : room.roomId);
    }
    this.out.value = [...this.entries.values()].sort(byNews);
    this.keeping ??= setTimeout(() => {
      this.keeping = undefined;
      keepList(this.client.getSafeUserId(), this.out.value);
    }, KEEP_MS);
  }

  private entryOf(room: Room): Conversation | undefined {
    const membership = room.getMyMembership();
    if ((membership !== "join" && membership !== "invite") || room.isSpaceRoom()) return undefined;
    return this.describe(room, membership);
  }

  private describe(room: Room, membership: "join" | "invite"): Conversation {
    const me = this.client.getSafeUserId();
    const direct = this.directs.get(room.roomId) ?? (membership === "invite" ? room.getDMInviter() : undefined);
    const last = lastShown(room, me, direct !== undefined);
    const inviterId = membership === "invite" ? room.getMember(me)?.events.member?.getSender() : undefined;
    const highlights = room.getUnreadNotificationCount(NotificationCountType.Highlight);
    const directMember = direct ? room.getMember(direct) : undefined;
    return {
      id: room.roomId,
      name: directMember?.rawDisplayName ?? room.name,
      avatar: room.getMxcAvatarUrl() ?? directMember?.getMxcAvatarUrl() ?? undefined,
      membership,
      direct,
      presence: direct ? presenceOf(this.client, direct) : "unknown",
      lastText: last.text,
      lastMs: last.ms,
      unread: room.getUnreadNotificationCount(NotificationCountType.Total),
      mentioned: highlights > 0,
      encrypted: room.hasEncryptionStateEvent(),
      inviter: inviterId ? { id: inviterId, name: nameIn(room, inviterId) } : undefined,
      typing: typingIn(room, me),
    };
  }
}

/** Invitations first, then by the last message. */
export function byNews(a: Conversation, b: Conversation): number {
  if (a.membership !== b.membership) return a.membership === "invite" ? -1 : 1;
  return b.lastMs - a.lastMs || a.name.localeCompare(b.name);
}

/** The room's state as it is now. */
export function stateOf(room: Room): RoomState {
  return room.getLiveTimeline().getState(Direction.Forward)!;
}

/** Names of the others who type. */
export function typingIn(room: Room, me: string): string[] {
  const typing = stateOf(room).getMembers().filter((member) => member.typing && member.userId !== me);
  return typing.map((member) => member.rawDisplayName);
}

export function nameIn(room: Room, userId: string): string {
  return room.getMember(userId)?.name ?? localpart(userId);
}

export function presenceOf(client: MatrixClient, userId: string): Presence {
  const presence = client.getUser(userId)?.presence;
  if (presence === "online") return "online";
  if (presence === "unavailable") return "away";
  return presence === "offline" ? "offline" : "unknown";
}

function lastShown(room: Room, me: string, direct: boolean): { text: string; ms: number } {
  const events = [...room.getLiveTimeline().getEvents(), ...room.getPendingEvents()];
  const naming = { me, nameOf: (id: string) => nameIn(room, id) };
  let ms = 0;
  for (const event of events.slice(-PREVIEW_EVENTS_MAX).reverse()) {
    if (event.getRelation()?.rel_type) continue;
    if (isMessage(event)) {
      const sender = event.getSender()!;
      const who = sender === me ? "You: " : direct ? "" : `${nameIn(room, sender)}: `;
      return { text: `${who}${previewOf(event)}`, ms: event.getTs() };
    }
    ms ||= event.getTs();
    const notice = noticeOf(event, naming);
    if (notice && event.getType() !== (EventType.RoomCreate as string)) return { text: notice, ms: event.getTs() };
  }
  const member = room.getMember(me)?.events.member;
  return { text: "", ms: ms || (member?.getTs() ?? 0) };
}

/** Rooms that stand in `m.direct`, with the other person. */
function readDirects(client: MatrixClient): Map<string, string> {
  const content = client.getAccountData(EventType.Direct)?.getContent() ?? {};
  const directs = new Map<string, string>();
  for (const [userId, roomIds] of Object.entries(content)) {
    if (!Array.isArray(roomIds)) continue;
    for (const roomId of roomIds) if (typeof roomId === "string") directs.set(roomId, userId);
  }
  return directs;
}
