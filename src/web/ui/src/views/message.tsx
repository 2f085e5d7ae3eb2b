// One message: bubble, quotation, media, reactions, delivery, what can be done with it.

import { Component, type JSX } from "preact";
import { useState } from "preact/hooks";

import { clockTime, exactTime, fileSize, listNames, localpart, toneOf } from "../matrix/names";
import { download, shownSize, THUMBNAIL } from "../matrix/media";
import type { Body, MediaInfo, MessageRow, Reader, Reaction } from "../matrix/rows";
import { sanitize, splitLinks } from "../matrix/sanitize";
import { running } from "../state/app";
import { toastError } from "../state/toasts";
import { Icon } from "./icons";
import { Avatar, IconButton, useMedia } from "./parts";

/** What the room lets a message do. */
export interface MessageDeeds {
  reply(row: MessageRow): void;
  edit(row: MessageRow): void;
  remove(row: MessageRow): void;
  react(row: MessageRow, emoji: string): void;
  pickReaction(row: MessageRow, beside: HTMLElement): void;
  retry(row: MessageRow): void;
  discard(row: MessageRow): void;
  jump(eventId: string): void;
  openImage(media: MediaInfo, row: MessageRow): void;
}

interface Props {
  row: MessageRow;
  deeds: MessageDeeds;
  /** Whether there are more than two people, so that names are needed. */
  crowded: boolean;
  active: boolean;
  found: boolean;
}

export class Message extends Component<Props> {
  override shouldComponentUpdate(next: Readonly<Props>): boolean {
    return !sameProps(this.props, next);
  }

  override render(): JSX.Element {
    return <MessageView {...this.props} />;
  }
}

function sameProps(a: Props, b: Props): boolean {
  if (a.active !== b.active || a.found !== b.found || a.crowded !== b.crowded || a.deeds !== b.deeds) return false;
  // Rows are made anew with every change of the room; few of them differ.
  return a.row === b.row || JSON.stringify(a.row) === JSON.stringify(b.row);
}

function MessageView({ row, deeds, crowded, active, found }: Props): JSX.Element {
  const { body } = row;
  const side = row.own ? "message-own" : "message-other";
  const shape = `${row.first ? "message-first" : ""} ${row.last ? "message-last" : ""}`;
  const bare = (body.type === "text" && body.bigEmoji && !row.quoted) || body.type === "sticker";
  return (
    <article
      class={`message ${side} ${shape} ${found ? "message-found" : ""}`}
      tabIndex={-1}
      aria-label={`${row.own ? "You" : row.senderName}, ${exactTime(row.ms)}`}
      data-event={row.eventId}
    >
      {!row.own && <div class="message-avatar">{row.last && <Avatar id={row.sender} name={row.senderName} mxc={row.senderAvatar} size="small" />}</div>}
      <div class="message-column">
        {!row.own && row.first && crowded && <p class={`message-name tone-text-${toneOf(row.sender)}`}>{row.senderName}</p>}
        <div class={`bubble ${bare ? "bubble-bare" : ""} bubble-${body.type} ${row.delivery === "failed" ? "bubble-failed" : ""}`}>
          {row.quoted && <Quote quoted={row.quoted} onJump={deeds.jump} />}
          <MessageBody body={body} row={row} deeds={deeds} />
          <span class="message-meta">
            {row.edited && <span class="edited">edited</span>}
            <time dateTime={new Date(row.ms).toISOString()} title={exactTime(row.ms)}>
              {clockTime(row.ms)}
            </time>
            {row.own && <DeliveryMark row={row} />}
          </span>
        </div>
        {row.reactions.length > 0 && <Reactions row={row} deeds={deeds} />}
        {row.delivery === "failed" && <Failed row={row} deeds={deeds} />}
        {row.readers.length > 0 && <Readers readers={row.readers} />}
      </div>
      {active && row.delivery === "sent" && body.type !== "deleted" && <Toolbar row={row} deeds={deeds} />}
    </article>
  );
}


function Quote({ quoted, onJump }: { quoted: NonNullable<MessageRow["quoted"]>; onJump: (id: string) => void }): JSX.Element {
  const tone = quoted.sender ? `tone-text-${toneOf(quoted.sender)}` : "";
  return (
    <button type="button" class="quote" onClick={() => onJump(quoted.eventId)} aria-label={`Go to the message of ${quoted.senderName || "someone"}`}>
      {quoted.senderName && <span class={`quote-name ${tone}`}>{quoted.senderName}</span>}
      <span class="quote-text">{quoted.text}</span>
    </button>
  );
}

function DeliveryMark({ row }: { row: MessageRow }): JSX.Element {
  if (row.delivery === "sending") return <Mark icon="clock" label="Sending" />;
  if (row.delivery === "failed") return <Mark icon="alert" label="Not sent" />;
  return row.read ? <Mark icon="checks" label="Read" /> : <Mark icon="check" label="Sent" />;
}

function Mark({ icon, label }: { icon: "clock" | "alert" | "check" | "checks"; label: string }): JSX.Element {
  return (
    <span class={`mark mark-${label.toLowerCase().replace(" ", "-")}`} role="img" aria-label={label} title={label}>
      <Icon name={icon} size={14} />
    </span>
  );
}

function MessageBody({ body, row, deeds }: { body: Body; row: MessageRow; deeds: MessageDeeds }): JSX.Element {
  switch (body.type) {
    case "text":
      return <TextBody body={body} row={row} />;
    case "image":
    case "sticker":
      return <Picture media={body.media} onOpen={() => deeds.openImage(body.media, row)} />;
    case "video":
      return <Video media={body.media} />;
    case "audio":
      return <Audio media={body.media} />;
    case "file":
      return <FileBody media={body.media} />;
    case "encrypted":
      return (
        <p class="placeholder">
          <Icon name="lock" size={16} /> This message is end-to-end encrypted and cannot be read here yet.
        </p>
      );
    case "deleted":
      return (
        <p class="placeholder">
          <Icon name="trash" size={16} /> {deletedText(body, row)}
        </p>
      );
    case "unknown":
      return <p class="placeholder">{body.text}</p>;
  }
}

function deletedText(body: Extract<Body, { type: "deleted" }>, row: MessageRow): string {
  const by = body.by !== undefined && body.by !== row.sender ? ` by ${localpart(body.by)}` : "";
  return `Message deleted${by}${body.reason ? `: ${body.reason}` : ""}`;
}

/** What makes lines of its own; without it, the time stands behind the last word. */
const BLOCKS = /<(?:p|ul|ol|pre|blockquote|h[1-6]|table|div|details|hr)[\s>/]/i;

function TextBody({ body, row }: { body: Extract<Body, { type: "text" }>; row: MessageRow }): JSX.Element {
  const kind = `text text-${body.style} ${body.bigEmoji ? "text-big" : ""}`;
  const emote = body.style === "emote" ? <b>{row.senderName} </b> : null;
  if (body.html) {
    const inline = BLOCKS.test(body.html) ? "" : "text-inline";
    return (
      <div class={`${kind} ${inline}`} dir="auto">
        {emote}
        <div class="rich" dangerouslySetInnerHTML={{ __html: sanitize(body.html) }} />
      </div>
    );
  }
  return (
    <p class={kind} dir="auto">
      {emote}
      {splitLinks(body.text).map((part) =>
        part.href === undefined ? (
          part.text
        ) : (
          <a href={part.href} target="_blank" rel="noreferrer noopener">
            {part.text}
          </a>
        ),
      )}
    </p>
  );
}

function Picture({ media, onOpen }: { media: MediaInfo; onOpen: () => void }): JSX.Element {
  const size = shownSize(media.width, media.height);
  // Small files and moving pictures are shown as they are.
  const whole = media.mimetype === "image/gif" || media.mimetype === "image/svg+xml" || (media.size !== undefined && media.size < 60_000);
  const url = useMedia(media.thumbnail ?? media.mxc, whole && !media.thumbnail ? undefined : THUMBNAIL);
  const [state, setState] = useState<"loading" | "there" | "broken">("loading");
  return (
    <figure class="picture">
      <button type="button" class={`picture-open ${state === "loading" ? "skeleton" : ""}`} onClick={onOpen} aria-label={`Open the picture ${media.name}`} style={{ width: `${size.width}px`, aspectRatio: `${size.width} / ${size.height}` }}>
        {state === "broken" && <span class="picture-broken">The picture cannot be loaded</span>}
        {url && state !== "broken" && <img src={url} alt={media.name} onLoad={() => setState("there")} onError={() => setState("broken")} />}
      </button>
      {media.caption && <figcaption>{media.caption}</figcaption>}
    </figure>
  );
}

function Video({ media }: { media: MediaInfo }): JSX.Element {
  const url = useMedia(media.mxc);
  const size = shownSize(media.width, media.height);
  return (
    <figure class="picture">
      <video src={url} controls preload="metadata" aria-label={media.name} style={{ width: `${size.width}px`, aspectRatio: `${size.width} / ${size.height}` }} />
      {media.caption && <figcaption>{media.caption}</figcaption>}
    </figure>
  );
}

function Audio({ media }: { media: MediaInfo }): JSX.Element {
  const url = useMedia(media.mxc);
  return (
    <div class="audio">
      <p class="audio-name">
        <Icon name="music" size={18} /> {media.name}
      </p>
      <audio src={url} controls preload="metadata" aria-label={media.name} />
    </div>
  );
}

function FileBody({ media }: { media: MediaInfo }): JSX.Element {
  const save = (): void => {
    const token = running.value?.session.accessToken ?? "";
    download(media.mxc, media.name, token).catch((error: unknown) => toastError("The file could not be saved.", error));
  };
  return (
    <button type="button" class="file" onClick={save} aria-label={`Download ${media.name}`}>
      <span class="file-icon">
        <Icon name="download" />
      </span>
      <span class="file-text">
        <span class="file-name">{media.name}</span>
        <span class="file-size">{media.size === undefined ? media.mimetype || "File" : fileSize(media.size)}</span>
      </span>
    </button>
  );
}

function Reactions({ row, deeds }: { row: MessageRow; deeds: MessageDeeds }): JSX.Element {
  return (
    <div class="reactions" role="group" aria-label="Reactions">
      {row.reactions.map((reaction) => (
        <ReactionButton key={reaction.key} reaction={reaction} onToggle={() => deeds.react(row, reaction.key)} />
      ))}
    </div>
  );
}

function ReactionButton({ reaction, onToggle }: { reaction: Reaction; onToggle: () => void }): JSX.Element {
  const names = listNames(reaction.names, 5);
  return (
    <button type="button" class="reaction" aria-pressed={reaction.mine !== undefined} aria-label={`${reaction.key} ${reaction.count}, ${names}`} title={names} onClick={onToggle}>
      <span class="reaction-key">{reaction.key}</span>{" "}
      <span class="reaction-count">{reaction.count}</span>
    </button>
  );
}

function Failed({ row, deeds }: { row: MessageRow; deeds: MessageDeeds }): JSX.Element {
  return (
    <p class="failed" role="alert">
      Not sent. {row.error}
      <button type="button" class="link" onClick={() => deeds.retry(row)}>
        Try again
      </button>
      <button type="button" class="link" onClick={() => deeds.discard(row)}>
        Discard
      </button>
    </p>
  );
}

const READERS_SHOWN_MAX = 4;

export function Readers({ readers }: { readers: Reader[] }): JSX.Element {
  const label = `Read by ${listNames(
    readers.map((reader) => reader.name),
    6,
  )}`;
  const shown = readers.slice(0, READERS_SHOWN_MAX);
  return (
    <div class="readers" role="img" aria-label={label} title={label}>
      {shown.map((reader) => (
        <Avatar key={reader.userId} id={reader.userId} name={reader.name} mxc={reader.avatar} size="tiny" />
      ))}
      {readers.length > shown.length && <span class="readers-more">+{readers.length - shown.length}</span>}
    </div>
  );
}

const QUICK = ["👍", "❤️", "😂"];

function Toolbar({ row, deeds }: { row: MessageRow; deeds: MessageDeeds }): JSX.Element {
  const copy = (): void => {
    if (row.body.type === "text") navigator.clipboard?.writeText(row.body.text).catch(() => undefined);
  };
  return (
    <div class="toolbar" role="toolbar" aria-label="Message actions">
      {QUICK.map((emoji) => (
        <button key={emoji} type="button" class="toolbar-emoji" aria-label={`React with ${emoji}`} onClick={() => deeds.react(row, emoji)}>
          {emoji}
        </button>
      ))}
      <IconButton icon="smile" label="Add a reaction" onClick={(event) => deeds.pickReaction(row, event.currentTarget)} />
      <IconButton icon="reply" label="Reply" onClick={() => deeds.reply(row)} />
      {row.body.type === "text" && <IconButton icon="copy" label="Copy text" onClick={copy} />}
      {row.canEdit && <IconButton icon="edit" label="Edit" onClick={() => deeds.edit(row)} />}
      {row.canDelete && <IconButton icon="trash" label="Delete" onClick={() => deeds.remove(row)} />}
    </div>
  );
}
