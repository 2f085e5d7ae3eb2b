// Messages that were sent and came back by another way than the SDK expects.
//
// It takes the local copy away when the message comes in by a sync. After a long absence a sync leaves
// out what lies in between, and the message comes with the history instead: the copy would stand below
// everything for ever.

import { EventStatus, RoomEvent, type MatrixClient, type MatrixEvent, type Room } from "matrix-js-sdk/lib/matrix";

/** Takes local copies away once their messages are known, until it is stopped. */
export function watchEchoes(client: MatrixClient): () => void {
  const onTimeline = (event: MatrixEvent, room: Room | undefined): void => {
    const transactionId = event.getUnsigned().transaction_id;
    if (room && transactionId) drop(room, (pending) => pending.getTxnId() === transactionId);
  };
  const onReset = (room: Room | undefined): void => {
    if (room) drop(room, (pending) => pending.status === EventStatus.SENT);
  };
  client.on(RoomEvent.Timeline, onTimeline);
  client.on(RoomEvent.TimelineReset, onReset);
  return () => {
    client.off(RoomEvent.Timeline, onTimeline);
    client.off(RoomEvent.TimelineReset, onReset);
  };
}

function drop(room: Room, isKnown: (pending: MatrixEvent) => boolean): void {
  for (const pending of [...room.getPendingEvents()]) if (isKnown(pending)) room.removePendingEvent(pending.getId()!);
}
