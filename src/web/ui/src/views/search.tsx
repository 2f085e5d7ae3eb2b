// Looking for messages, in one conversation or all, and going to them.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { findMessages, type Hit, type Query } from "../matrix/find";
import { nameIn } from "../matrix/rooms";
import { exactTime, shortTime } from "../matrix/names";
import type { Running } from "../state/app";
import { formatRoute, go } from "../state/route";
import { reasonOf } from "../state/toasts";
import { Icon } from "./icons";
import { Avatar, Empty, Spinner } from "./parts";

const DAY_MS = 86_400_000;

interface Form {
  term: string;
  sender: string;
  from: string;
  until: string;
}

interface Props {
  running: Running;
  roomId: string | undefined;
  /** What is looked for at once. */
  term: string | undefined;
}

export function Search({ running, roomId, term }: Props): JSX.Element {
  const [form, setForm] = useState<Form>({ term: term ?? "", sender: "", from: "", until: "" });
  const [hits, setHits] = useState<Hit[]>();
  const [highlights, setHighlights] = useState<string[]>([]);
  const [next, setNext] = useState<string>();
  const [state, setState] = useState<"idle" | "busy" | { error: string }>("idle");
  const asked = useRef(0);
  const room = roomId ? running.client.getRoom(roomId) : undefined;
  const search = async (from?: string): Promise<void> => {
    if (!form.term.trim()) return;
    asked.current += 1;
    const mine = asked.current;
    setState("busy");
    try {
      const found = await findMessages(running.client, toQuery(form, roomId), from);
      if (mine !== asked.current) return;
      setHits((before) => (from ? [...(before ?? []), ...found.hits] : found.hits));
      setHighlights(found.highlights);
      setNext(found.next);
      setState("idle");
    } catch (error) {
      if (mine === asked.current) setState({ error: reasonOf(error) });
    }
  };
  useEffect(() => {
    if (term) void search();
  }, []);
  const change = (part: Partial<Form>): void => setForm({ ...form, ...part });
  const everywhere = formatRoute({ at: "search", roomId: undefined, term: form.term.trim() || undefined });
  return (
    <section class="search" aria-label="Search messages">
      <header class="room-head">
        <a class="icon-button" href={formatRoute(room ? { at: "room", roomId: room.roomId, eventId: undefined } : { at: "home" })} aria-label="Back">
          <Icon name="back" />
        </a>
        <h1 class="search-title">{room ? `Search in ${room.name}` : "Search all conversations"}</h1>
        {room && (
          <a class="button button-small" href={everywhere}>
            All chats
          </a>
        )}
      </header>
      <form
        class="search-form"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void search();
        }}
      >
        <div class="search-words">
          <input class="search-term" type="search" aria-label="Words to look for" placeholder="Words to look for" value={form.term} onInput={(event) => change({ term: event.currentTarget.value })} ref={focusOnce} />
          <button class="button button-main">Search</button>
        </div>
        <div class="search-filters">
          <SenderFilter running={running} roomId={roomId} value={form.sender} onChange={(sender) => change({ sender })} />
          <label>
            From
            <input type="date" value={form.from} onInput={(event) => change({ from: event.currentTarget.value })} />
          </label>
          <label>
            Until
            <input type="date" value={form.until} onInput={(event) => change({ until: event.currentTarget.value })} />
          </label>
        </div>
      </form>
      <div class="hits" aria-live="polite" aria-busy={state === "busy"}>
        {typeof state === "object" && (
          <p class="form-error" role="alert">
            {state.error}
          </p>
        )}
        {!hits && state === "idle" && <Empty icon="search" title="Find a message">Type a word and press Enter.</Empty>}
        {hits?.length === 0 && state === "idle" && (
          <Empty icon="search" title="No messages found">
            <p>{form.sender || form.from || form.until ? "Try other words, or fewer filters." : "Try other words: whole words are found, in any order."}</p>
            {room && (
              <a class="button" href={everywhere}>
                Search all conversations
              </a>
            )}
          </Empty>
        )}
        <ul class="hit-list">
          {hits?.map((hit) => (
            <li key={hit.eventId}>
              <HitLine hit={hit} highlights={highlights} withRoom={!roomId} />
            </li>
          ))}
        </ul>
        {state === "busy" && <Spinner label="Searching" />}
        {next && state === "idle" && (
          <button type="button" class="button button-wide" onClick={() => void search(next)}>
            Show older hits
          </button>
        )}
      </div>
    </section>
  );
}

function focusOnce(element: HTMLInputElement | null): void {
  if (element && !element.dataset.focused) {
    element.dataset.focused = "yes";
    element.focus();
  }
}

/** Dates are days of the person's own calendar; the last one counts whole. */
export function toQuery(form: Form, roomId: string | undefined): Query {
  const day = (value: string): number | undefined => (value ? new Date(`${value}T00:00:00`).getTime() : undefined);
  const until = day(form.until);
  return {
    term: form.term.trim(),
    roomId,
    sender: form.sender || undefined,
    fromMs: day(form.from),
    untilMs: until === undefined ? undefined : until + DAY_MS - 1,
  };
}

const SENDERS_MAX = 300;

function SenderFilter({ running, roomId, value, onChange }: { running: Running; roomId: string | undefined; value: string; onChange: (sender: string) => void }): JSX.Element {
  const rooms = roomId ? [running.client.getRoom(roomId)] : running.client.getRooms();
  const people = new Map<string, string>();
  for (const room of rooms) {
    if (!room || people.size >= SENDERS_MAX) continue;
    for (const member of room.getJoinedMembers()) people.set(member.userId, nameIn(room, member.userId));
  }
  const sorted = [...people].sort((a, b) => a[1].localeCompare(b[1])).slice(0, SENDERS_MAX);
  return (
    <label>
      Sender
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">Anyone</option>
        {sorted.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function HitLine({ hit, highlights, withRoom }: { hit: Hit; highlights: string[]; withRoom: boolean }): JSX.Element {
  return (
    <button type="button" class="hit" onClick={() => go({ at: "room", roomId: hit.roomId, eventId: hit.eventId })}>
      <Avatar id={hit.sender} name={hit.senderName} mxc={hit.senderAvatar} size="small" />
      <span class="hit-text">
        <span class="hit-top">
          <b>{hit.senderName}</b>
          {withRoom && <span class="hit-room">in {hit.roomName}</span>}
          <time title={exactTime(hit.ms)}>{shortTime(hit.ms, Date.now())}</time>
        </span>
        <span class="hit-body" dir="auto">
          {mark(hit.text, highlights).map((part) => (part.marked ? <mark>{part.text}</mark> : part.text))}
        </span>
      </span>
    </button>
  );
}

const MARKED_CHARS_MAX = 400;

/** Splits a text at the words that were found. */
export function mark(text: string, words: string[]): { text: string; marked: boolean }[] {
  const shown = text.slice(0, MARKED_CHARS_MAX);
  const wanted = words.filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (wanted.length === 0) return [{ text: shown, marked: false }];
  const pattern = new RegExp(`(${wanted.join("|")})`, "giu");
  return shown
    .split(pattern)
    .map((part, index) => ({ text: part, marked: index % 2 === 1 }))
    .filter((part) => part.text !== "");
}
