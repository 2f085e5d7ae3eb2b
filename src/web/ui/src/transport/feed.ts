// One continuous sync: the frames that the server pushed and that the client has not confirmed yet.
//
// A long-polling client confirms a body by asking with its `next_batch`. Only then is the frame
// acknowledged, for an acknowledgement lets the server forget what stood in it.

import type { SyncFrame } from "./frames";

interface Entry {
  frame: SyncFrame;
  nextBatch: string;
  /** The client has had it, which does not say that it has processed it. */
  delivered: boolean;
}

/** What `ask` found. */
export type Found =
  | { fits: false }
  | { fits: true; ack: number | undefined; body: Record<string, unknown> | undefined };

export class Feed {
  private readonly queue: Entry[] = [];
  private arrived = false;

  /**
   * @param id the sync's id on the socket
   * @param key what it asks for (see `syncKey`)
   * @param base the position where the first frame of the queue starts
   */
  constructor(
    readonly id: string,
    readonly key: string,
    private base: string,
  ) {}

  /** Whether the first body, which comes at once, has come. */
  get started(): boolean {
    return this.arrived;
  }

  /** Takes a pushed frame; `false` for a body without a position, which is no sync's. */
  push(frame: SyncFrame): boolean {
    const nextBatch = frame.body.next_batch;
    if (typeof nextBatch !== "string") return false;
    this.arrived = true;
    this.queue.push({ frame, nextBatch, delivered: false });
    return true;
  }

  /** The client asks with `since`: what that confirms, and the next body if there is one. */
  ask(since: string): Found {
    let ack: number | undefined;
    const confirmed = this.queue.findLastIndex((entry) => entry.delivered && entry.nextBatch === since);
    if (confirmed >= 0) {
      ack = this.queue[confirmed]!.frame.seq;
      this.queue.splice(0, confirmed + 1);
      this.base = since;
    } else if (since !== this.base) {
      return { fits: false };
    }
    const next = this.queue[0];
    if (next) next.delivered = true;
    return { fits: true, ack, body: next?.frame.body };
  }
}
