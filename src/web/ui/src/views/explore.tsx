// The public rooms of the server.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { findPublicRooms, type PublicRoom } from "../matrix/find";
import type { Running } from "../state/app";
import { goToRoom } from "../state/route";
import { reasonOf, toastError } from "../state/toasts";
import { Avatar, Dialog, Empty, Field, Spinner, useDebounced } from "./parts";

const DELAY_MS = 200;

export function Explore({ running, onClose }: { running: Running; onClose: () => void }): JSX.Element {
  const [term, setTerm] = useState("");
  const [rooms, setRooms] = useState<PublicRoom[]>();
  const [next, setNext] = useState<string>();
  const [error, setError] = useState<string>();
  const [joining, setJoining] = useState<string>();
  const load = async (value: string, since?: string): Promise<void> => {
    setError(undefined);
    try {
      const page = await findPublicRooms(running.client, value.trim(), since);
      setRooms((before) => (since ? [...(before ?? []), ...page.rooms] : page.rooms));
      setNext(page.next);
    } catch (problem) {
      setError(reasonOf(problem));
    }
  };
  useDebounced(term, DELAY_MS, (value) => void load(value));
  const join = async (room: PublicRoom): Promise<void> => {
    setJoining(room.id);
    try {
      const roomId = await running.actions.join(room.id);
      onClose();
      goToRoom(roomId);
    } catch (problem) {
      toastError("The room could not be joined.", problem);
      setJoining(undefined);
    }
  };
  return (
    <Dialog title="Public rooms" onClose={onClose} wide>
      <Field label="Find rooms" type="search" value={term} onInput={setTerm} error={error} placeholder="Name or topic" autofocus />
      {!rooms && !error && <Spinner />}
      {rooms?.length === 0 && (
        <Empty icon="compass" title="No public rooms found">
          {!term && <p>Make a public group, and it stands here.</p>}
        </Empty>
      )}
      <ul class="public-rooms" aria-label="Rooms found">
        {rooms?.map((room) => (
          <PublicRoomLine key={room.id} room={room} running={running} busy={joining === room.id} onJoin={() => void join(room)} onOpen={onClose} />
        ))}
      </ul>
      {next && (
        <button type="button" class="button button-wide" onClick={() => void load(term, next)}>
          Show more
        </button>
      )}
    </Dialog>
  );
}

interface LineProps {
  room: PublicRoom;
  running: Running;
  busy: boolean;
  onJoin: () => void;
  onOpen: () => void;
}

function PublicRoomLine({ room, running, busy, onJoin, onOpen }: LineProps): JSX.Element {
  const joined = running.client.getRoom(room.id)?.getMyMembership() === "join";
  const open = (): void => {
    onOpen();
    goToRoom(room.id);
  };
  return (
    <li class="public-room">
      <Avatar id={room.id} name={room.name} mxc={room.avatar} />
      <span class="person-text">
        <span class="person-name">{room.name}</span>
        {room.topic && <span class="public-topic">{room.topic}</span>}
        <span class="person-id">
          {room.members} {room.members === 1 ? "member" : "members"}
          {room.alias && ` · ${room.alias}`}
        </span>
      </span>
      <button type="button" class={`button button-small ${joined ? "" : "button-main"}`} disabled={busy} onClick={joined ? open : onJoin} aria-label={`${joined ? "Open" : "Join"} ${room.name}`}>
        {joined ? "Open" : busy ? "Joining…" : "Join"}
      </button>
    </li>
  );
}
