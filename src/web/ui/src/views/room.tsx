// A conversation: head, timeline, writing, and beside it who is there.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Room } from "matrix-js-sdk/lib/matrix";

import { listNames } from "../matrix/names";
import { presenceText } from "../matrix/members";
import type { MediaInfo, MessageRow, Row } from "../matrix/rows";
import { stateOf, type Conversation } from "../matrix/rooms";
import { RoomTimeline } from "../matrix/timeline";
import { inFront, type Running } from "../state/app";
import { formatRoute, go, goToRoom } from "../state/route";
import { toastError } from "../state/toasts";
import { Composer, type Purpose } from "./composer";
import { ConfirmDelete, FilePreview, ImageViewer } from "./room-dialogs";
import { EmojiPicker } from "./emoji-picker";
import { Icon } from "./icons";
import { Details } from "./details";
import type { MessageDeeds } from "./message";
import { Avatar, Empty, IconButton, Spinner } from "./parts";
import { Beginning, drawRow, Retry, Skeletons } from "./timeline-rows";
import { UploadBars } from "./uploads";
import { VirtualList } from "./virtual-list";

interface Props {
  running: Running;
  room: Room;
  eventId: string | undefined;
}

export function RoomView({ running, room, eventId }: Props): JSX.Element {
  const { client, actions, uploads } = running;
  const timeline = useMemo(() => new RoomTimeline(client, room), [client, room]);
  useEffect(() => () => timeline.close(), [timeline]);
  const [details, setDetails] = useState(false);
  const [purpose, setPurpose] = useState<Purpose>({ is: "new" });
  const [chosen, setChosen] = useState<File[]>([]);
  const [dragging, setDragging] = useState(false);
  const [removing, setRemoving] = useState<MessageRow>();
  const [viewing, setViewing] = useState<{ media: MediaInfo; row: MessageRow }>();
  const [picking, setPicking] = useState<{ row: MessageRow; beside: HTMLElement }>();
  const [toEnd, setToEnd] = useState(0);
  const [atEnd, setAtEnd] = useState(true);

  useEffect(() => {
    if (eventId && timeline.hasEvent(eventId)) return;
    void timeline.open(eventId);
  }, [timeline, eventId]);
  useEffect(() => setPurpose({ is: "new" }), [room]);
  useReading(running, room, timeline, atEnd);

  const deeds = useMemo<MessageDeeds>(
    () => ({
      reply: (row) => setPurpose({ is: "reply", to: row }),
      edit: (row) => setPurpose({ is: "edit", of: row }),
      remove: (row) => setRemoving(row),
      react: (row, emoji) => toggleReaction(running, room, row, emoji),
      pickReaction: (row, beside) => setPicking({ row, beside }),
      retry: () => actions.retry(room),
      discard: (row) => actions.discard(room, row.key),
      jump: (id) => goToRoom(room.roomId, id),
      openImage: (media, row) => setViewing({ media, row }),
    }),
    [running, room, actions],
  );
  const newest = (): void => {
    if (eventId) goToRoom(room.roomId);
    if (!timeline.atEnd.value) void timeline.open();
    setToEnd((count) => count + 1);
  };
  const send = (text: string, what: Purpose): void => {
    if (what.is === "edit") {
      actions.editText(room.roomId, text, what.of.eventId);
      return;
    }
    actions.sendText(room.roomId, text, what.is === "reply" ? what.to : undefined);
    newest();
  };
  const editLast = (): void => {
    const last = timeline.rows.value.findLast((row) => row.kind === "message" && row.canEdit);
    if (last?.kind === "message") setPurpose({ is: "edit", of: last });
  };
  const entry = running.rooms.list.value.find((conversation) => conversation.id === room.roomId);
  const me = client.getSafeUserId();
  const allowed = room.maySendMessage() || stateOf(room).maySendMessage(me);
  return (
    <div
      class={`room ${details ? "room-with-details" : ""}`}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setDragging(true);
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget || !event.relatedTarget) setDragging(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setDragging(false);
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length > 0) setChosen(files);
      }}
    >
      <section class="room-main" aria-label={`Conversation ${room.name}`}>
        <RoomHead running={running} room={room} details={details} onDetails={() => setDetails(!details)} />
        {room.hasEncryptionStateEvent() && <EncryptedNote />}
        <TimelineView timeline={timeline} room={room} entry={entry} deeds={deeds} target={eventId} toEnd={toEnd} onAtEnd={setAtEnd} />
        {(!atEnd || !timeline.atEnd.value) && (
          <button type="button" class="jump-down" onClick={newest} aria-label="Go to the newest message" title="Go to the newest message">
            <Icon name="down" />
          </button>
        )}
        <TypingLine names={timeline.typing.value} />
        <UploadBars uploads={uploads} roomId={room.roomId} />
        <Composer
          key={room.roomId}
          roomId={room.roomId}
          roomName={room.name}
          purpose={purpose}
          onPurpose={setPurpose}
          onSend={send}
          onFiles={setChosen}
          onTyping={(typing) => actions.typing(typing ? room.roomId : undefined)}
          onEditLast={editLast}
          allowed={allowed && !room.hasEncryptionStateEvent()}
        />
        {dragging && (
          <div class="drop-here" aria-hidden="true">
            Drop files here to send them
          </div>
        )}
      </section>
      {details && <Details running={running} room={room} onClose={() => setDetails(false)} />}
      {removing && (
        <ConfirmDelete
          onClose={() => setRemoving(undefined)}
          onConfirm={() => {
            setRemoving(undefined);
            actions.redact(room.roomId, removing.eventId).catch((error: unknown) => toastError("The message could not be deleted.", error));
          }}
        />
      )}
      {viewing && <ImageViewer media={viewing.media} sender={viewing.row.senderName} ms={viewing.row.ms} onClose={() => setViewing(undefined)} />}
      {chosen.length > 0 && (
        <FilePreview
          files={chosen}
          onClose={() => setChosen([])}
          onSend={(files, caption) => {
            setChosen([]);
            files.forEach((file, index) => uploads.add(room.roomId, file, index === files.length - 1 ? caption : ""));
            newest();
          }}
        />
      )}
      {picking && (
        <EmojiPicker
          beside={picking.beside}
          onClose={() => setPicking(undefined)}
          onPick={(emoji) => {
            setPicking(undefined);
            toggleReaction(running, room, picking.row, emoji);
          }}
        />
      )}
    </div>
  );
}

function toggleReaction({ actions }: Running, room: Room, row: MessageRow, emoji: string): void {
  const mine = row.reactions.find((reaction) => reaction.key === emoji)?.mine;
  // A reaction that is still being sent has no id to take back.
  if (mine?.startsWith("~")) return;
  if (mine) actions.redact(room.roomId, mine).catch((error: unknown) => toastError("The reaction stays.", error));
  else actions.react(room.roomId, row.eventId, emoji);
}

/** What is in view, in a window in front, is read. */
function useReading({ actions }: Running, room: Room, timeline: RoomTimeline, atEnd: boolean): void {
  const newest = timeline.newest.value?.key;
  const front = inFront.value;
  const live = timeline.atEnd.value;
  useEffect(() => {
    if (front && atEnd && live && newest) void actions.markRead(room);
  }, [front, atEnd, live, newest, room, actions]);
}

function RoomHead({ running, room, details, onDetails }: { running: Running; room: Room; details: boolean; onDetails: () => void }): JSX.Element {
  const entry = running.rooms.list.value.find((conversation) => conversation.id === room.roomId);
  const direct = entry?.direct;
  const offline = running.connection.online.value === "offline";
  const count = room.getJoinedMemberCount();
  const topic = (stateOf(room).getStateEvents("m.room.topic", "")?.getContent().topic as unknown) ?? "";
  const under = direct ? otherText(running, room, direct, offline) : `${count} ${count === 1 ? "member" : "members"}`;
  const name = entry?.name ?? room.name;
  return (
    <header class="room-head">
      <a class="icon-button room-back" href={formatRoute({ at: "home" })} aria-label="Back to the conversations">
        <Icon name="back" />
      </a>
      <button type="button" class="room-title" onClick={onDetails} aria-expanded={details} title="About this conversation">
        <Avatar id={direct ?? room.roomId} name={name} mxc={entry?.avatar} size="small" presence={direct && !offline && room.getMember(direct)?.membership === "join" ? entry?.presence : undefined} />
        <span class="room-title-text">
          <h1>{name}</h1>
          <span class="room-under">
            {under}
            {typeof topic === "string" && topic && <span class="room-topic"> · {topic}</span>}
          </span>
        </span>
      </button>
      <IconButton icon="search" label="Search in this conversation" onClick={() => go({ at: "search", roomId: room.roomId })} />
      <IconButton icon="people" label="Members" aria-expanded={details} onClick={onDetails} />
    </header>
  );
}

/** How the other one of a direct conversation is to be reached. */
function otherText({ client }: Running, room: Room, other: string, offline: boolean): string {
  const membership = room.getMember(other)?.membership;
  if (membership === "invite") return "Has not accepted the invitation yet";
  if (membership === "leave" || membership === "ban") return "Has left this conversation";
  // What was last heard of them, before the connection went, may be true no longer.
  return offline ? "" : presenceText(client, other);
}

function EncryptedNote(): JSX.Element {
  return (
    <p class="encrypted-note" role="note">
      <Icon name="lock" size={18} />
      This conversation is end-to-end encrypted. Hearth in the browser cannot read or write encrypted messages yet: use another client for it.
    </p>
  );
}

interface TimelineViewProps {
  timeline: RoomTimeline;
  room: Room;
  entry: Conversation | undefined;
  deeds: MessageDeeds;
  target: string | undefined;
  toEnd: number;
  onAtEnd: (atEnd: boolean) => void;
}

function TimelineView({ timeline, room, entry, deeds, target, toEnd, onAtEnd }: TimelineViewProps): JSX.Element {
  const rows = timeline.rows.value;
  const loading = timeline.loading.value;
  const [active, setActive] = useState<string>();
  const holder = useRef<HTMLDivElement>(null);
  // Between two people, nobody asks whose words they are.
  const crowded = entry?.direct === undefined;
  const targetKey = target ? rows.find((row) => row.kind === "message" && row.eventId === target)?.key : undefined;
  if (rows.length === 0) {
    return <div class="timeline timeline-empty">{timeline.failed.value ? <Retry timeline={timeline} /> : loading === "first" ? <Skeletons /> : <Empty icon="chat" title="No messages yet" />}</div>;
  }
  const head = timeline.failed.value ? (
    <Retry timeline={timeline} />
  ) : timeline.atStart.value ? (
    <Beginning room={room} entry={entry} />
  ) : (
    <div class="loading-older">
      <Spinner label="Loading older messages" />
    </div>
  );
  return (
    <div
      class="timeline"
      ref={holder}
      // Moves of the pointer alone: what slides along under a pointer at rest, in scrolling, was not pointed at.
      onPointerMove={(event) => event.pointerType === "mouse" && setActive(keyAt(event.target) ?? active)}
      onPointerLeave={(event) => event.pointerType === "mouse" && setActive(undefined)}
      onClick={(event) => matchMedia("(hover: none)").matches && setActive(keyAt(event.target))}
      onFocusCapture={(event) => setActive(keyAt(event.target))}
      onKeyDown={(event) => moveFocus(event, holder.current!)}
    >
      <VirtualList
        rows={rows}
        label="Messages"
        head={head}
        steady={isSteady}
        draw={(row) => drawRow(row, { deeds, crowded, active, targetKey })}
        onNearStart={() => void timeline.loadOlder()}
        onNearEnd={() => void timeline.loadNewer()}
        busy={loading !== "no"}
        endIsNewest={timeline.atEnd.value}
        target={targetKey}
        onAtEnd={onAtEnd}
        toEnd={toEnd}
      />
    </div>
  );
}

/** Days, the line of the unread and notices move or melt together when older messages come. */
function isSteady(row: Row): boolean {
  return row.kind === "message";
}

function keyAt(target: EventTarget | null): string | undefined {
  return (target as Element | null)?.closest<HTMLElement>("[data-key]")?.dataset.key;
}

/** The arrow keys go from message to message. */
function moveFocus(event: KeyboardEvent, holder: HTMLElement): void {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  const all = [...holder.querySelectorAll<HTMLElement>("article.message")];
  const focused = document.activeElement?.closest<HTMLElement>("article.message");
  const at = focused ? all.indexOf(focused) : all.length;
  const next = all[at + (event.key === "ArrowUp" ? -1 : 1)];
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function TypingLine({ names }: { names: string[] }): JSX.Element {
  return (
    <p class="typing-line" aria-live="polite">
      {names.length > 0 && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {listNames(names)} {names.length === 1 ? "is" : "are"} typing
        </>
      )}
    </p>
  );
}
