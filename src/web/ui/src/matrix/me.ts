// One's own name and picture, which nobody syncs to who is in no room.

import { signal } from "@preact/signals";
import { UserEvent, type MatrixClient } from "matrix-js-sdk/lib/matrix";

import { localpart } from "./names";

export class Me {
  readonly id: string;
  readonly name = signal("");
  readonly avatar = signal<string | undefined>(undefined);

  constructor(private readonly client: MatrixClient) {
    this.id = client.getSafeUserId();
    this.name.value = localpart(this.id);
    client.on(UserEvent.DisplayName, (_event, user) => {
      if (user.userId === this.id && user.displayName) this.name.value = user.displayName;
    });
    client.on(UserEvent.AvatarUrl, (_event, user) => {
      if (user.userId === this.id) this.avatar.value = user.avatarUrl ?? undefined;
    });
  }

  /** Asks the server. */
  async load(): Promise<void> {
    try {
      const profile = await this.client.getProfileInfo(this.id);
      this.name.value = profile.displayname || localpart(this.id);
      this.avatar.value = profile.avatar_url ?? undefined;
    } catch {
      // The localpart will do.
    }
  }

  /** Sets what is given. */
  async save(name: string | undefined, picture: File | undefined): Promise<void> {
    if (name !== undefined) await this.client.setDisplayName(name);
    if (picture) {
      const { content_uri: url } = await this.client.uploadContent(picture, { name: picture.name, type: picture.type });
      await this.client.setAvatarUrl(url);
    }
    await this.load();
  }
}
