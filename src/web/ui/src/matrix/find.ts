// Looking for people, rooms and messages.

import type { MatrixClient } from "matrix-js-sdk/lib/matrix";

import { bodyOfContent } from "./body";
import { localpart } from "./names";
import { nameIn } from "./rooms";
import { stripReplyFallback } from "./sanitize";

export interface Person {
  id: string;
  name: string;
  avatar: string | undefined;
}

const PEOPLE_MAX = 20;
const USER_ID = /^@[^\s:]+:[^\s]+$/;

/** People whose name or id has `term` in it, other than oneself. */
export async function findPeople(client: MatrixClient, term: string): Promise<Person[]> {
  const me = client.getSafeUserId();
  const { results } = await client.searchUserDirectory({ term, limit: PEOPLE_MAX }).catch((error: unknown) => {
    // A server without a directory still knows who is asked for by the whole id.
    if ((error as { httpStatus?: number }).httpStatus === 404) return { results: [] };
    throw error;
  });
  const people = results
    .filter((entry) => entry.user_id !== me)
    .map((entry) => ({
      id: entry.user_id,
      name: entry.display_name || localpart(entry.user_id),
      avatar: entry.avatar_url ?? undefined,
    }));
  // A whole id is good for somebody whom the directory does not show.
  if (USER_ID.test(term) && term !== me && !people.some((person) => person.id === term)) {
    const profile = await client.getProfileInfo(term).catch(() => undefined);
    if (profile) people.unshift({ id: term, name: profile.displayname || localpart(term), avatar: profile.avatar_url });
  }
  return people;
}

export interface PublicRoom {
  id: string;
  alias: string | undefined;
  name: string;
  topic: string;
  avatar: string | undefined;
  members: number;
}

const ROOMS_PAGE = 30;

export async function findPublicRooms(
  client: MatrixClient,
  term: string,
  since?: string,
): Promise<{ rooms: PublicRoom[]; next: string | undefined }> {
  const filter = term ? { generic_search_term: term } : undefined;
  const page = await client.publicRooms({ limit: ROOMS_PAGE, since, filter });
  const rooms = page.chunk.map((room) => ({
    id: room.room_id,
    alias: room.canonical_alias,
    name: room.name || room.canonical_alias || "Room without a name",
    topic: room.topic ?? "",
    avatar: room.avatar_url,
    members: room.num_joined_members,
  }));
  return { rooms, next: page.next_batch };
}

/** What messages are looked for. */
export interface Query {
  term: string;
  /** In this room, or in all. */
  roomId: string | undefined;
  sender: string | undefined;
  /** Not before and not after, in milliseconds. */
  fromMs: number | undefined;
  untilMs: number | undefined;
}

export interface Hit {
  roomId: string;
  roomName: string;
  eventId: string;
  sender: string;
  senderName: string;
  senderAvatar: string | undefined;
  ms: number;
  text: string;
}

interface SearchAnswer {
  search_categories: {
    room_events?: {
      count?: number;
      next_batch?: string;
      highlights?: string[];
      results?: { result?: RawEvent }[];
    };
  };
}

interface RawEvent {
  event_id: string;
  room_id: string;
  sender: string;
  type: string;
  origin_server_ts: number;
  content: Record<string, unknown>;
}

const HITS_PAGE = 30;
/** Of the search API, which knows no dates, for one page of hits with dates. */
const PAGES_MAX = 20;

/** A page of hits, newest first. The API knows no dates, so pages are asked for until the start date is passed. */
export async function findMessages(
  client: MatrixClient,
  query: Query,
  from?: string,
): Promise<{ hits: Hit[]; next: string | undefined; highlights: string[] }> {
  const hits: Hit[] = [];
  let next = from;
  let highlights: string[] = [];
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await client.search({ body: searchBody(query) as never, next_batch: next });
    const found = (answer as unknown as SearchAnswer).search_categories.room_events ?? {};
    highlights = found.highlights ?? highlights;
    const events = (found.results ?? []).flatMap((entry) => (entry.result ? [entry.result] : []));
    hits.push(...events.filter((event) => withinDates(event.origin_server_ts, query)).map((event) => toHit(client, event)));
    next = found.next_batch;
    const oldest = events.at(-1)?.origin_server_ts;
    if (query.fromMs !== undefined && oldest !== undefined && oldest < query.fromMs) next = undefined;
    if (!next || hits.length >= HITS_PAGE) break;
  }
  return { hits, next, highlights };
}

export function searchBody(query: Query): object {
  const filter: Record<string, unknown> = { limit: HITS_PAGE };
  if (query.roomId) filter.rooms = [query.roomId];
  if (query.sender) filter.senders = [query.sender];
  const roomEvents = { search_term: query.term, keys: ["content.body"], filter, order_by: "recent" };
  return { search_categories: { room_events: roomEvents } };
}

export function withinDates(ms: number, query: Pick<Query, "fromMs" | "untilMs">): boolean {
  return (query.fromMs === undefined || ms >= query.fromMs) && (query.untilMs === undefined || ms <= query.untilMs);
}

function toHit(client: MatrixClient, event: RawEvent): Hit {
  const room = client.getRoom(event.room_id);
  const body = bodyOfContent(event.type, event.content);
  const text = "text" in body && body.text ? body.text : "media" in body ? body.media.name : "";
  return {
    roomId: event.room_id,
    roomName: room?.name ?? event.room_id,
    eventId: event.event_id,
    sender: event.sender,
    senderName: room ? nameIn(room, event.sender) : localpart(event.sender),
    senderAvatar: room?.getMember(event.sender)?.getMxcAvatarUrl(),
    ms: event.origin_server_ts,
    text: stripReplyFallback(text),
  };
}
