// The conversations, and the ways to new ones.

import { Component, type JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { listNames, shortTime } from "../matrix/names";
import type { Conversation } from "../matrix/rooms";
import type { Running } from "../state/app";
import { formatRoute, go, goToRoom, route } from "../state/route";
import { toastError } from "../state/toasts";
import { Explore } from "./explore";
import { Icon } from "./icons";
import { NewChat, NewGroup } from "./new-chat";
import { Avatar, Empty, IconButton } from "./parts";
import { Settings } from "./settings";

const BLOCK_ENTRIES = 30;

type Open = "none" | "chat" | "group" | "explore" | "settings";

export function Sidebar({ running }: { running: Running }): JSX.Element {
  const [open, setOpen] = useState<Open>("none");
  const [filter, setFilter] = useState("");
  const close = (): void => setOpen("none");
  const { me } = running;
  const list = running.rooms.list.value;
  const words = filter.trim().toLowerCase();
  const shown = words ? list.filter((entry) => entry.name.toLowerCase().includes(words)) : list;
  const starting = running.connection.online.value === "starting";
  return (
    <nav class="sidebar" aria-label="Conversations">
      <header class="sidebar-head">
        <button type="button" class="me" onClick={() => setOpen("settings")} aria-label="Settings and profile" title="Settings and profile">
          <Avatar id={me.id} name={me.name.value} mxc={me.avatar.value} size="small" />
        </button>
        <h1 class="sidebar-title">Chats</h1>
        <IconButton icon="compass" label="Browse public rooms" onClick={() => setOpen("explore")} />
        <IconButton icon="people" label="New group" onClick={() => setOpen("group")} />
        <IconButton icon="plus" label="New chat" class="icon-button-main" onClick={() => setOpen("chat")} />
      </header>
      <form
        class="sidebar-search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          const first = shown.find(({ membership }) => membership === "join");
          if (words && first) goToRoom(first.id);
          else go({ at: "search", roomId: undefined, term: filter.trim() || undefined });
        }}
      >
        <Icon name="search" size={18} />
        <input type="search" id="filter" value={filter} placeholder="Filter chats" aria-label="Filter conversations" onInput={(event) => setFilter(event.currentTarget.value)} />
        <a class="search-all" href={formatRoute({ at: "search", roomId: undefined, term: filter.trim() || undefined })}>
          Search messages
        </a>
      </form>
      {starting && list.length === 0 ? <ListSkeleton /> : <List running={running} entries={shown} filter={filter.trim()} onNew={() => setOpen("chat")} />}
      {open === "chat" && <NewChat running={running} onClose={close} onGroup={() => setOpen("group")} />}
      {open === "group" && <NewGroup running={running} onClose={close} />}
      {open === "explore" && <Explore running={running} onClose={close} />}
      {open === "settings" && <Settings running={running} onClose={close} />}
    </nav>
  );
}

interface ListProps {
  running: Running;
  entries: Conversation[];
  /** What the names are looked through for; empty if for nothing. */
  filter: string;
  onNew: () => void;
}

function List({ running, entries, filter, onNew }: ListProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const offline = running.connection.online.value === "offline";
  // Who moves from one block to another is drawn anew, and keeps the focus all the same.
  const held = list.current?.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
  useLayoutEffect(() => {
    if (!held || list.current?.contains(document.activeElement)) return;
    list.current?.querySelector<HTMLElement>(`a.entry[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  });
  if (entries.length === 0) {
    return filter ? (
      <Empty icon="search" title="No chat of this name">
        <a class="button" href={formatRoute({ at: "search", roomId: undefined, term: filter })}>
          Search messages for it
        </a>
      </Empty>
    ) : (
      <Empty icon="chat" title="No conversations yet">
        <p>Find somebody, or make a group.</p>
        <button type="button" class="button button-main" onClick={onNew}>
          Start a chat
        </button>
      </Empty>
    );
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const all = [...list.current!.querySelectorAll<HTMLElement>("a.entry")];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = all[at + (event.key === "ArrowUp" ? -1 : 1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <ul class="entries" ref={list} onKeyDown={onKeyDown}>
      {Array.from({ length: Math.ceil(entries.length / BLOCK_ENTRIES) }, (_, index) => (
        <Block key={index} running={running} offline={offline} entries={entries.slice(index * BLOCK_ENTRIES, (index + 1) * BLOCK_ENTRIES)} />
      ))}
    </ul>
  );
}

interface BlockProps {
  running: Running;
  offline: boolean;
  entries: Conversation[];
}

/** Some of the list: where nothing has changed, nothing is compared, however long the list is. */
class Block extends Component<BlockProps> {
  override shouldComponentUpdate(next: Readonly<BlockProps>): boolean {
    const { running, offline, entries } = this.props;
    if (next.running !== running || next.offline !== offline || next.entries.length !== entries.length) return true;
    return next.entries.some((entry, index) => entry !== entries[index]);
  }

  override render(): JSX.Element[] {
    const { running, offline, entries } = this.props;
    return entries.map((entry) => (
      <li key={entry.id}>{entry.membership === "invite" ? <Invitation running={running} entry={entry} /> : <Entry entry={entry} offline={offline} />}</li>
    ));
  }
}

function Entry({ entry, offline }: { entry: Conversation; offline: boolean }): JSX.Element {
  const here = route.value.at === "room" && route.value.roomId === entry.id;
  const { unread } = entry;
  return (
    <a class={`entry ${unread > 0 ? "entry-unread" : ""}`} href={formatRoute({ at: "room", roomId: entry.id, eventId: undefined })} aria-current={here ? "page" : undefined}>
      <Avatar id={entry.direct ?? entry.id} name={entry.name} mxc={entry.avatar} presence={entry.direct && !offline ? entry.presence : undefined} />
      <span class="entry-text">
        <span class="entry-top">
          <span class="entry-name" dir="auto">
            {entry.name}
          </span>
          {entry.encrypted && (
            <span class="entry-lock" role="img" aria-label="encrypted">
              <Icon name="lock" size={13} />
            </span>
          )}
          {entry.lastMs > 0 && <time class="entry-time">{shortTime(entry.lastMs, Date.now())}</time>}
        </span>
        <span class="entry-bottom">
          {entry.typing.length > 0 ? (
            <span class="entry-typing">{entry.direct ? "typing…" : `${listNames(entry.typing, 2)} typing…`}</span>
          ) : (
            <span class="entry-last" dir="auto">
              {entry.lastText || "No messages yet"}
            </span>
          )}
          {unread > 0 && (
            <span class={`badge ${entry.mentioned ? "badge-mention" : ""}`} aria-label={`${unread} unread`}>
              {unread > 99 ? "99+" : unread}
            </span>
          )}
        </span>
      </span>
    </a>
  );
}

/** Accepting or declining, in the list and where the conversation would stand. */
export function InvitationButtons({ running, entry }: { running: Running; entry: Conversation }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const act = async (doing: () => Promise<void>, failed: string): Promise<void> => {
    setBusy(true);
    try {
      await doing();
    } catch (error) {
      toastError(failed, error);
    }
    setBusy(false);
  };
  const accept = (): Promise<void> =>
    act(async () => {
      const room = running.client.getRoom(entry.id);
      if (room) await running.actions.accept(room);
      goToRoom(entry.id);
    }, "The invitation could not be accepted.");
  const decline = (): Promise<void> => act(() => running.actions.leave(entry.id), "The invitation could not be declined.");
  return (
    <span class="invitation-buttons">
      <button type="button" class="button button-main button-small" disabled={busy} onClick={() => void accept()}>
        Accept
      </button>
      <button type="button" class="button button-small" disabled={busy} onClick={() => void decline()}>
        Decline
      </button>
    </span>
  );
}

function Invitation({ running, entry }: { running: Running; entry: Conversation }): JSX.Element {
  const from = entry.inviter?.name ?? "Someone";
  return (
    <div class="invitation" role="group" aria-label={`Invitation to ${entry.name}`}>
      <Avatar id={entry.direct ?? entry.id} name={entry.name} mxc={entry.avatar} />
      <div class="invitation-text">
        <span class="entry-name">{entry.name}</span>
        <span class="entry-last">{entry.direct ? `${from} wants to chat` : `${from} invites you`}</span>
        <InvitationButtons running={running} entry={entry} />
      </div>
    </div>
  );
}

function ListSkeleton(): JSX.Element {
  return (
    <div class="list-skeleton" role="status" aria-label="Loading conversations">
      {[0, 1, 2, 3, 4].map((index) => (
        <div key={index} class="list-skeleton-row">
          <span class="skeleton skeleton-avatar" />
          <span class="list-skeleton-text">
            <span class="skeleton skeleton-line" />
            <span class="skeleton skeleton-line skeleton-line-long" />
          </span>
        </div>
      ))}
    </div>
  );
}
