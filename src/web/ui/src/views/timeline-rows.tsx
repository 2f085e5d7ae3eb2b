// The rows of a timeline, and what stands in it before there are any.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Room } from "matrix-js-sdk/lib/matrix";

import { dayName } from "../matrix/names";
import { nameIn, type Conversation } from "../matrix/rooms";
import type { MessageRow, Row } from "../matrix/rows";
import type { RoomTimeline } from "../matrix/timeline";
import { Message, Readers, type MessageDeeds } from "./message";
import { Avatar } from "./parts";

interface DrawContext {
  deeds: MessageDeeds;
  crowded: boolean;
  active: string | undefined;
  targetKey: string | undefined;
}

export function drawRow(row: Row, context: DrawContext): JSX.Element {
  switch (row.kind) {
    case "day":
      return (
        <p class="day">
          <span>{dayName(row.ms, Date.now())}</span>
        </p>
      );
    case "unread":
      return (
        <p class="unread-line">
          <span>New messages</span>
        </p>
      );
    case "notice":
      return <Notice texts={row.texts} readers={context.crowded ? row.readers : []} />;
    case "message":
      return <Message row={row} deeds={context.deeds} crowded={context.crowded} active={context.active === row.key} found={context.targetKey === row.key} />;
  }
}

const NOTICES_SHOWN = 3;

function Notice({ texts, readers }: { texts: string[]; readers: MessageRow["readers"] }): JSX.Element {
  const [open, setOpen] = useState(false);
  const folded = texts.length > NOTICES_SHOWN && !open;
  return (
    <div class="notices">
      {(folded ? texts.slice(-1) : texts).map((text, index) => (
        <p key={index} class="notice" dir="auto">
          {text}
        </p>
      ))}
      {folded && (
        <button type="button" class="link link-quiet" onClick={() => setOpen(true)}>
          Show {texts.length - 1} more
        </button>
      )}
      {readers.length > 0 && <Readers readers={readers} />}
    </div>
  );
}

/** What stands above the first message of all. */
export function Beginning({ room, entry }: { room: Room; entry: Conversation | undefined }): JSX.Element {
  const name = entry?.name ?? room.name;
  const creator = room.getCreator();
  const who = creator === room.myUserId ? "You" : creator ? nameIn(room, creator) : "Somebody";
  return (
    <div class="beginning">
      <Avatar id={entry?.direct ?? room.roomId} name={name} mxc={entry?.avatar} size="large" />
      <h2 dir="auto">{name}</h2>
      <p>{entry?.direct ? `This is the beginning of your conversation with ${name}.` : `${who} created this conversation.`}</p>
    </div>
  );
}

export function Retry({ timeline }: { timeline: RoomTimeline }): JSX.Element {
  return (
    <p class="loading-failed" role="alert">
      Messages could not be loaded.{" "}
      <button type="button" class="link" onClick={() => void timeline.retry()}>
        Try again
      </button>
    </p>
  );
}

export function Skeletons(): JSX.Element {
  return (
    <div class="skeletons" role="status" aria-label="Loading messages">
      {["a", "b", "c", "d", "e"].map((name, index) => (
        <div key={name} class={`skeleton-row ${index % 3 === 2 ? "skeleton-own" : ""}`}>
          <span class="skeleton skeleton-bubble" />
        </div>
      ))}
    </div>
  );
}
