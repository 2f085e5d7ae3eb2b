// Who is in a room, as plain data that follows the room.

import { signal } from "@preact/signals";
import {
  RoomMemberEvent,
  RoomStateEvent,
  UserEvent,
  type MatrixClient,
  type Room,
} from "matrix-js-sdk/lib/matrix";

import { ago } from "./names";
import { presenceOf, type Presence } from "./rooms";

export interface Member {
  id: string;
  name: string;
  avatar: string | undefined;
  membership: "join" | "invite";
  presence: Presence;
  presenceText: string;
  role: string | undefined;
}

const ADMIN_LEVEL = 100;
const MODERATOR_LEVEL = 50;

export class Members {
  readonly list = signal<Member[]>([]);
  private scheduled = false;
  private closed = false;
  private readonly stopListening: () => void;

  constructor(
    private readonly client: MatrixClient,
    readonly room: Room,
  ) {
    const onState = (event: { getRoomId(): string | undefined }): void => this.touch(event.getRoomId());
    const onMember = (_event: unknown, member: { roomId: string }): void => this.touch(member.roomId);
    const onUser = (): void => this.touch(room.roomId);
    client.on(RoomStateEvent.Events, onState);
    client.on(RoomMemberEvent.PowerLevel, onMember);
    client.on(RoomMemberEvent.Membership, onMember);
    client.on(UserEvent.Presence, onUser);
    this.stopListening = () => {
      client.off(RoomStateEvent.Events, onState);
      client.off(RoomMemberEvent.PowerLevel, onMember);
      client.off(RoomMemberEvent.Membership, onMember);
      client.off(UserEvent.Presence, onUser);
    };
    this.build();
    room.loadMembersIfNeeded().then(
      () => this.build(),
      () => undefined,
    );
  }

  close(): void {
    this.closed = true;
    this.stopListening();
  }

  private touch(roomId: string | undefined): void {
    if (roomId !== this.room.roomId || this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => {
      this.scheduled = false;
      if (!this.closed) this.build();
    }, 50);
  }

  private build(): void {
    const all = [...this.room.getMembersWithMembership("join"), ...this.room.getMembersWithMembership("invite")];
    const members = all.map((member): Member => {
      const level = member.powerLevel;
      return {
        id: member.userId,
        name: member.rawDisplayName,
        avatar: member.getMxcAvatarUrl(),
        membership: member.membership === "invite" ? "invite" : "join",
        presence: presenceOf(this.client, member.userId),
        presenceText: presenceText(this.client, member.userId),
        role: level >= ADMIN_LEVEL ? "Admin" : level >= MODERATOR_LEVEL ? "Moderator" : undefined,
      };
    });
    const order: Record<Presence, number> = { online: 0, away: 1, offline: 2, unknown: 2 };
    members.sort(
      (a, b) =>
        Number(a.membership === "invite") - Number(b.membership === "invite") ||
        order[a.presence] - order[b.presence] ||
        a.name.localeCompare(b.name),
    );
    this.list.value = members;
  }
}

/** "Online", "Away", "Last seen 5 min ago". */
export function presenceText(client: MatrixClient, userId: string): string {
  const user = client.getUser(userId);
  switch (user?.presence) {
    case "online":
      return "Online";
    case "unavailable":
      return "Away";
    case "offline": {
      const seen = user.lastPresenceTs && user.lastActiveAgo ? Date.now() - user.lastPresenceTs + user.lastActiveAgo : undefined;
      return seen === undefined ? "Offline" : `Last seen ${ago(seen)}`;
    }
    default:
      return "";
  }
}
