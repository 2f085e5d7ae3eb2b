// Beside a conversation: what it is, who is in it, inviting and leaving.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Room } from "matrix-js-sdk/lib/matrix";

import { Members, type Member } from "../matrix/members";
import { stateOf } from "../matrix/rooms";
import type { Running } from "../state/app";
import { go, goToRoom } from "../state/route";
import { toastError } from "../state/toasts";
import { Icon } from "./icons";
import { Invite } from "./new-chat";
import { Avatar, Dialog, IconButton } from "./parts";

interface Props {
  running: Running;
  room: Room;
  onClose: () => void;
}

export function Details({ running, room, onClose }: Props): JSX.Element {
  const members = useMemo(() => new Members(running.client, room), [running, room]);
  useEffect(() => () => members.close(), [members]);
  const [inviting, setInviting] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const entry = running.rooms.list.value.find((conversation) => conversation.id === room.roomId);
  const topic: unknown = stateOf(room).getStateEvents("m.room.topic", "")?.getContent().topic;
  const list = members.list.value;
  const joined = list.filter((member) => member.membership === "join");
  const invited = list.filter((member) => member.membership === "invite");
  const me = running.client.getSafeUserId();
  return (
    <aside class="details" aria-label="About this conversation">
      <header class="details-head">
        <h2>About</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      <div class="details-body">
        <div class="details-top">
          <Avatar id={entry?.direct ?? room.roomId} name={entry?.name ?? room.name} mxc={entry?.avatar} size="huge" presence={entry?.direct ? entry.presence : undefined} />
          <p class="details-name">{entry?.name ?? room.name}</p>
          {entry?.direct && <p class="details-id">{entry.direct}</p>}
          {typeof topic === "string" && topic && <p class="details-topic">{topic}</p>}
          <p class="details-kind">
            <Icon name={room.getJoinRule() === "public" ? "globe" : "lock"} size={16} />
            {room.getJoinRule() === "public" ? "Public" : "Private"}
            {room.hasEncryptionStateEvent() ? ", end-to-end encrypted" : ", not encrypted"}
          </p>
        </div>
        <div class="details-actions">
          {room.canInvite(me) && (
            <button type="button" class="button" onClick={() => setInviting(true)}>
              <Icon name="plus" size={18} /> Invite
            </button>
          )}
          <button type="button" class="button button-quiet-danger" onClick={() => setLeaving(true)}>
            <Icon name="leave" size={18} /> Leave
          </button>
        </div>
        <MemberList title={`Members (${joined.length})`} members={joined} running={running} me={me} roles={entry?.direct === undefined} />
        {invited.length > 0 && <MemberList title={`Invited (${invited.length})`} members={invited} running={running} me={me} roles={false} />}
      </div>
      {inviting && <Invite running={running} roomId={room.roomId} onClose={() => setInviting(false)} />}
      {leaving && <ConfirmLeave running={running} room={room} onClose={() => setLeaving(false)} />}
    </aside>
  );
}

const LIST_MAX = 500;

interface MemberListProps {
  title: string;
  members: Member[];
  running: Running;
  me: string;
  /** Between two people, who may do what is nobody's question. */
  roles: boolean;
}

function MemberList({ title, members, running, me, roles }: MemberListProps): JSX.Element {
  return (
    <section class="member-section">
      <h3>{title}</h3>
      <ul class="members">
        {members.slice(0, LIST_MAX).map((member) => (
          <li key={member.id}>
            <MemberLine member={roles ? member : { ...member, role: undefined }} running={running} self={member.id === me} />
          </li>
        ))}
      </ul>
      {members.length > LIST_MAX && <p class="hint">And {members.length - LIST_MAX} more.</p>}
    </section>
  );
}

function MemberLine({ member, running, self }: { member: Member; running: Running; self: boolean }): JSX.Element {
  const chat = (): void => {
    running.actions.openDirect(member.id).then(
      (roomId) => goToRoom(roomId),
      (error: unknown) => toastError("The chat could not be started.", error),
    );
  };
  const inside = (
    <>
      <Avatar id={member.id} name={member.name} mxc={member.avatar} size="small" presence={member.presence} />
      <span class="person-text">
        <span class="person-name">
          {member.name}
          {self && " (you)"}
        </span>
        <span class="person-id">{member.membership === "invite" ? "Invited" : member.presenceText || member.id}</span>
      </span>
      {member.role && <span class="role">{member.role}</span>}
    </>
  );
  if (self) return <div class="person person-self">{inside}</div>;
  return (
    <button type="button" class="person" onClick={chat} title={`Chat with ${member.name}`}>
      {inside}
    </button>
  );
}

function ConfirmLeave({ running, room, onClose }: Props): JSX.Element {
  const [busy, setBusy] = useState(false);
  const leave = async (): Promise<void> => {
    setBusy(true);
    try {
      await running.actions.leave(room.roomId);
      onClose();
      go({ at: "home" });
    } catch (error) {
      toastError("You are still in it.", error);
      setBusy(false);
    }
  };
  const isPublic = room.getJoinRule() === "public";
  return (
    <Dialog title="Leave this conversation?" onClose={onClose}>
      <p>{isPublic ? "You can join again later." : "You can come back only if somebody invites you again."}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={onClose}>
          Stay
        </button>
        <button type="button" class="button button-danger" disabled={busy} onClick={() => void leave()}>
          Leave
        </button>
      </div>
    </Dialog>
  );
}
