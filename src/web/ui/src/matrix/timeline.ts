// One room's timeline: its rows as a signal, pages in both directions, jumps to an event.

import { computed, signal } from "@preact/signals";
import {
  Direction,
  EventStatus,
  EventType,
  MatrixError,
  MatrixEventEvent,
  RelationType,
  RoomEvent,
  RoomMemberEvent,
  RoomStateEvent,
  TimelineWindow,
  type IRoomTimelineData,
  type MatrixClient,
  type MatrixEvent,
  type Room,
} from "matrix-js-sdk/lib/matrix";

import { bodyOf } from "./body";
import { isMessage, noticeOf, previewOf } from "./describe";
import { localpart } from "./names";
import { nameIn, stateOf, typingIn } from "./rooms";
import { arrange, type Delivery, type MessageRow, type Quoted, type Reaction, type Reader, type Row } from "./rows";

const PAGE_EVENTS = 50;
const WINDOW_EVENTS_MAX = 200_000;
/** Pages asked for in one go until something that is shown has come. */
const EMPTY_PAGES_MAX = 10;

export class RoomTimeline {
  readonly rows = signal<Row[]>([]);
  /** Whether the first event of the room is here. */
  readonly atStart = signal(false);
  /** Whether the newest event is here. */
  readonly atEnd = signal(true);
  readonly loading = signal<"no" | "first" | "older" | "newer">("first");
  readonly failed = signal(false);
  readonly typing = signal<string[]>([]);
  readonly newest = computed(() => this.rows.value.findLast((row) => row.kind === "message"));

  private window: TimelineWindow;
  private scheduled = false;
  private closed = false;
  /** Whether what comes in is shown: not where an old part of the history is looked at. */
  private following = true;
  private readonly quotes = new Map<string, Quoted | "asked">();
  private readonly stopListening: () => void;
  /** Up to which event everything was read when the room was opened. */
  private readonly readUpTo: string | undefined;

  constructor(
    private readonly client: MatrixClient,
    readonly room: Room,
  ) {
    this.window = this.makeWindow();
    const me = client.getSafeUserId();
    const read = room.getEventReadUpTo(me) ?? undefined;
    const newest = room.getLiveTimeline().getEvents().at(-1)?.getId();
    this.readUpTo = read === newest ? undefined : read;
    this.stopListening = this.listen();
  }

  /** Loads the newest events, or those around `eventId`. */
  async open(eventId?: string): Promise<void> {
    this.loading.value = "first";
    this.failed.value = false;
    const window = this.makeWindow();
    try {
      await window.load(eventId, PAGE_EVENTS);
      if (this.closed) return;
      this.window = window;
      this.following = eventId === undefined;
      this.build();
      if (this.rows.value.length < PAGE_EVENTS / 2 && !this.atStart.value) await this.page(Direction.Backward);
    } catch {
      this.failed.value = true;
      this.build();
    } finally {
      this.loading.value = "no";
    }
    // Names of those who spoke come with lazy loading; all members are needed for the list and receipts.
    await this.room.loadMembersIfNeeded().catch(() => undefined);
    this.schedule();
  }

  close(): void {
    this.closed = true;
    this.stopListening();
  }

  async loadOlder(): Promise<void> {
    if (this.loading.value !== "no" || this.atStart.value || this.failed.value) return;
    this.loading.value = "older";
    await this.page(Direction.Backward);
    this.loading.value = "no";
  }

  async loadNewer(): Promise<void> {
    if (this.loading.value !== "no" || this.atEnd.value) return;
    this.loading.value = "newer";
    await this.page(Direction.Forward);
    this.following = this.atEnd.value;
    this.loading.value = "no";
  }

  async retry(): Promise<void> {
    this.failed.value = false;
    if (this.rows.value.length === 0) await this.open();
    else await this.loadOlder();
  }

  hasEvent(eventId: string): boolean {
    return this.rows.value.some((row) => row.kind === "message" && row.eventId === eventId);
  }

  private async page(direction: Direction): Promise<void> {
    const before = this.rows.value.length;
    for (let page = 0; page < EMPTY_PAGES_MAX; page += 1) {
      try {
        if (!(await this.window.paginate(direction, PAGE_EVENTS)) || this.closed) break;
      } catch {
        this.failed.value = direction === Direction.Backward;
        break;
      }
      this.build();
      if (this.rows.value.length > before) break;
    }
    this.build();
  }

  private makeWindow(): TimelineWindow {
    return new TimelineWindow(this.client, this.room.getUnfilteredTimelineSet(), { windowLimit: WINDOW_EVENTS_MAX });
  }

  private listen(): () => void {
    const { client, room } = this;
    const mine = (roomId: string | undefined): void => {
      if (roomId === room.roomId) this.schedule();
    };
    const onTimeline = (_e: MatrixEvent, at: Room | undefined, _s: boolean | undefined, _r: boolean, data: IRoomTimelineData): void => {
      if (at?.roomId !== room.roomId || !data.liveEvent) return;
      this.schedule();
    };
    const onReset = (at: Room | undefined): void => {
      if (at?.roomId === room.roomId && this.following) void this.open();
    };
    const onRoom = (_event: unknown, at: Room): void => mine(at.roomId);
    const onState = (event: MatrixEvent): void => mine(event.getRoomId());
    const onMember = (_event: unknown, member: { roomId: string }): void => mine(member.roomId);
    const onTyping = (_event: unknown, member: { roomId: string }): void => {
      if (member.roomId === room.roomId) this.typing.value = typingIn(room, client.getSafeUserId());
    };
    const onDecrypted = (event: MatrixEvent): void => mine(event.getRoomId());
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomEvent.TimelineReset, onReset);
    client.on(RoomEvent.Receipt, onRoom);
    client.on(RoomEvent.Redaction, onRoom);
    client.on(RoomEvent.LocalEchoUpdated, onRoom);
    client.on(RoomStateEvent.Events, onState);
    client.on(RoomMemberEvent.Name, onMember);
    client.on(RoomMemberEvent.Typing, onTyping);
    client.on(MatrixEventEvent.Replaced, onDecrypted);
    client.on(MatrixEventEvent.Decrypted, onDecrypted);
    return () => {
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomEvent.TimelineReset, onReset);
      client.off(RoomEvent.Receipt, onRoom);
      client.off(RoomEvent.Redaction, onRoom);
      client.off(RoomEvent.LocalEchoUpdated, onRoom);
      client.off(RoomStateEvent.Events, onState);
      client.off(RoomMemberEvent.Name, onMember);
      client.off(RoomMemberEvent.Typing, onTyping);
      client.off(MatrixEventEvent.Replaced, onDecrypted);
      client.off(MatrixEventEvent.Decrypted, onDecrypted);
    };
  }

  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    setTimeout(() => {
      this.scheduled = false;
      if (!this.closed) this.build();
    }, 10);
  }

  private build(): void {
    // All that the SDK has behind the window, however much came at once.
    if (this.following) while (this.window.extend(Direction.Forward, PAGE_EVENTS));
    this.atStart.value = !this.window.canPaginate(Direction.Backward);
    this.atEnd.value = !this.window.canPaginate(Direction.Forward);
    const events = this.window.getEvents();
    const pending = this.atEnd.value ? this.room.getPendingEvents() : [];
    const items: Row[] = [];
    for (const event of [...events, ...pending]) {
      const row = this.rowOf(event);
      if (row) items.push(row);
      // A receipt on something that is not shown counts for what stands above it.
      const shown = items.at(-1);
      if (shown && (shown.kind === "message" || shown.kind === "notice")) shown.readers.push(...this.readersOf(event));
    }
    markRead(items);
    this.rows.value = arrange(items, this.readUpTo, this.client.getSafeUserId());
  }

  private rowOf(event: MatrixEvent): Row | undefined {
    const eventId = event.getId();
    if (!eventId) return undefined;
    if (event.isState()) {
      const naming = { me: this.client.getSafeUserId(), nameOf: (id: string) => nameIn(this.room, id) };
      const text = noticeOf(event, naming);
      if (!text || isFounding(event, this.room)) return undefined;
      return { kind: "notice", key: eventId, ms: event.getTs(), eventIds: [eventId], texts: [text], readers: [] };
    }
    if (!isMessage(event) || event.isRelation(RelationType.Replace)) return undefined;
    return this.messageOf(event, eventId);
  }

  private messageOf(event: MatrixEvent, eventId: string): MessageRow {
    const { room } = this;
    const me = this.client.getSafeUserId();
    const sender = event.getSender()!;
    const member = event.sender ?? room.getMember(sender);
    const body = bodyOf(event);
    const own = sender === me;
    const delivery = deliveryOf(event);
    const editable = body.type === "text" && own && delivery === "sent";
    const removable = delivery === "sent" && body.type !== "deleted";
    return {
      kind: "message",
      key: event.getTxnId() ?? eventId,
      eventId,
      ms: event.getTs(),
      sender,
      senderName: member?.name ?? localpart(sender),
      senderAvatar: member?.getMxcAvatarUrl(),
      own,
      first: true,
      last: true,
      body,
      edited: event.replacingEvent() !== null && !event.isRedacted(),
      delivery,
      read: false,
      error: delivery === "failed" ? refusalOf(event) : undefined,
      reactions: body.type === "deleted" ? [] : this.reactionsOf(eventId),
      quoted: this.quotedOf(event),
      readers: [],
      canEdit: editable,
      canDelete: removable && stateOf(room).maySendRedactionForEvent(event, me),
    };
  }

  private reactionsOf(eventId: string): Reaction[] {
    const set = this.room.getUnfilteredTimelineSet();
    const relations = set.relations.getChildEventsForEvent(eventId, RelationType.Annotation, EventType.Reaction);
    const me = this.client.getSafeUserId();
    const reactions: Reaction[] = [];
    for (const [key, events] of relations?.getSortedAnnotationsByKey() ?? []) {
      const byPerson = new Map<string, MatrixEvent>();
      for (const event of events) if (!event.isRedacted()) byPerson.set(event.getSender()!, event);
      if (byPerson.size === 0) continue;
      const names = [...byPerson.keys()].map((id) => (id === me ? "You" : nameIn(this.room, id)));
      reactions.push({ key, count: byPerson.size, mine: byPerson.get(me)?.getId(), names });
    }
    return reactions;
  }

  private readersOf(event: MatrixEvent): Reader[] {
    const me = this.client.getSafeUserId();
    const readers: Reader[] = [];
    for (const receipt of this.room.getReceiptsForEvent(event)) {
      const { userId } = receipt;
      const member = this.room.getMember(userId);
      if (userId === me || member?.membership !== "join") continue;
      readers.push({ userId, name: member.rawDisplayName, avatar: member.getMxcAvatarUrl() });
    }
    return readers;
  }

  private quotedOf(event: MatrixEvent): Quoted | undefined {
    const eventId = event.replyEventId;
    if (!eventId || event.isRedacted()) return undefined;
    const known = this.room.findEventById(eventId);
    if (known) return this.quote(known, eventId);
    const fetched = this.quotes.get(eventId);
    if (fetched === undefined) void this.fetchQuote(eventId);
    if (fetched && fetched !== "asked") return fetched;
    return { eventId, sender: undefined, senderName: "", text: "…" };
  }

  private quote(event: MatrixEvent, eventId: string): Quoted {
    const sender = event.getSender()!;
    return { eventId, sender, senderName: nameIn(this.room, sender), text: previewOf(event) };
  }

  private async fetchQuote(eventId: string): Promise<void> {
    this.quotes.set(eventId, "asked");
    const missing: Quoted = { eventId, sender: undefined, senderName: "", text: "The message is not to be had" };
    try {
      const raw = await this.client.fetchRoomEvent(this.room.roomId, eventId);
      const mapped = this.client.getEventMapper()(raw);
      this.quotes.set(eventId, this.quote(mapped, eventId));
    } catch {
      this.quotes.set(eventId, missing);
    }
    this.schedule();
  }
}

/** Whether a room is made, and whoever made it joins it: the beginning of the timeline says so. */
function isFounding(event: MatrixEvent, room: Room): boolean {
  if (event.getType() === (EventType.RoomCreate as string)) return true;
  if (event.getType() !== (EventType.RoomMember as string) || event.getStateKey() !== room.getCreator()) return false;
  return event.getContent().membership === "join" && event.getPrevContent().membership === undefined;
}

/** A receipt counts for everything above it; on somebody's own message it need not be shown. */
function markRead(items: Row[]): void {
  let read = false;
  for (const row of items.toReversed()) {
    if (row.kind !== "message" && row.kind !== "notice") continue;
    read ||= row.readers.length > 0;
    if (row.kind !== "message") continue;
    row.read = read;
    row.readers = row.readers.filter((reader) => reader.userId !== row.sender);
  }
}

function deliveryOf(event: MatrixEvent): Delivery {
  switch (event.status) {
    case EventStatus.NOT_SENT:
    case EventStatus.CANCELLED:
      return "failed";
    case EventStatus.QUEUED:
    case EventStatus.SENDING:
    case EventStatus.ENCRYPTING:
      return "sending";
    default:
      return "sent";
  }
}

/** Why the server did not take an event. The SDK keeps here whatever was thrown, not errors of Matrix alone. */
function refusalOf(event: MatrixEvent): string {
  const error: unknown = event.error;
  const reason = error instanceof MatrixError ? (error.data.error as unknown) : undefined;
  return typeof reason === "string" ? reason : "The server did not take it.";
}
