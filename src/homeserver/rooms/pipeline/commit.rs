//! The commit: everything that a batch of events changes, as one transaction. The only writer of the event tables.

use hearth_protocol::{EventKey, EventNum, Lane, LanePos, UserKey};
use hearth_storage::schema::log::{ErasureDue, ErasuresDue, LogRow, OutputLog};
use hearth_storage::schema::rooms::{
    Arrival, ChainEventRow, ChainEvents, EventNumRow, EventNums, EventTimes, Events, History, Memberships, Outcome,
    RedactionRow, Redactions, RoomHeads, StateKeys, StateSetRow, StateSets,
};
use hearth_storage::schema::users::{Membership, UserRoom, UserRooms};
use hearth_storage::{CommitError, PosSlot, Txn};
use ruma::UserId;

use super::commit_relations::{delete_relation, write_relation, write_totals};
use super::commit_transactions::write_transaction;
use super::lane::Context;
use super::working::{MemberChange, Pending, Working};
use crate::rooms::error::RoomError;
use crate::rooms::reader::RoomReader;
use crate::rooms::snapshot::RoomSnapshot;

/// Changes in one chunk of a state set; keeps a row below 64 kB.
const CHANGES_PER_CHUNK: usize = 4_000;

/// Writes a batch, and gives the position of its first event, if it has news.
///
/// # Errors
/// When nothing was written; `Conflict` also when the batch was written before, by a commit whose outcome was lost.
pub async fn commit(context: &Context, working: &Working) -> Result<Option<LanePos>, CommitError> {
    let store = context.reader.store();
    let lane = store.lane_of(&working.room.key.0);
    let mut txn = store.txn().home(lane);
    let slots = write_events(context, &mut txn, lane, working);
    for (num, row) in &working.state_keys {
        txn.put::<StateKeys>(&(working.room.key, *num), row);
    }
    for (num, row) in &working.sets {
        for (chunk, row) in (0..).zip(split_set(row)) {
            txn.put::<StateSets>(&(working.room.key, *num, chunk), &row);
        }
    }
    for (user, change) in &working.members {
        write_member(context, &mut txn, working, *user, change, slots[change.by]);
    }
    for (target, redaction) in &working.redacted {
        let row = hearth_storage::schema::rooms::EventRow { redacted_by: Some(*redaction), ..target.to_row() };
        txn.put::<Events>(&(working.room.key, target.num), &row);
        write_erasure(context, &mut txn, lane, working, target.num, *redaction);
        delete_relation(&mut txn, working.room.key, target);
    }
    write_totals(&mut txn, working.room.key, &working.related);
    match slots.iter().rev().flatten().next() {
        Some(last) => txn.put_stamped::<RoomHeads>(&working.room.key, *last, &working.room.head),
        None => txn.put::<RoomHeads>(&working.room.key, &working.room.head),
    }
    let committed = store.commit(txn).await?;
    let first = slots.iter().flatten().next().copied();
    Ok(first.map(|slot| committed.pos(slot)))
}

/// The rows of the events; gives each one's position slot, none for what is no news.
fn write_events(context: &Context, txn: &mut Txn, lane: Lane, working: &Working) -> Vec<Option<PosSlot>> {
    let room = working.room.key;
    let mut slots = Vec::with_capacity(working.events.len());
    for pending in &working.events {
        let stored = &pending.stored;
        let (num, key) = (stored.num, EventKey::of(&stored.event.id));
        txn.assert_absent::<EventNums>(&(room, key));
        txn.put::<EventNums>(&(room, key), &EventNumRow { num });
        let slot = pending.is_news.then(|| txn.next_pos(lane));
        match slot {
            Some(slot) => {
                txn.put_stamped::<Events>(&(room, num), slot, &stored.to_row());
                txn.put_at::<Arrival>(&room, slot, &EventNumRow { num });
                txn.put_at::<OutputLog>(&lane, slot, &LogRow { room, event: num });
            }
            None => txn.put::<Events>(&(room, num), &stored.to_row()),
        }
        if stored.outcome == Outcome::Accepted {
            txn.put::<History>(&(room, stored.event.depth, stored.order), &EventNumRow { num });
        }
        if let Some(place) = stored.chain {
            txn.put::<ChainEvents>(
                &(room, place.chain, place.sequence),
                &ChainEventRow { num, links: pending.links.clone() },
            );
        }
        if let Some(redaction) = stored.redacted_by {
            write_erasure(context, txn, lane, working, num, redaction);
        }
        write_indexes(context, txn, lane, working, pending);
        slots.push(slot);
    }
    slots
}

fn write_indexes(context: &Context, txn: &mut Txn, lane: Lane, working: &Working, pending: &Pending) {
    let (room, stored) = (working.room.key, &pending.stored);
    let event = &stored.event;
    if let Some(transaction) = &pending.transaction {
        write_transaction(txn, lane, room, transaction, &event.id, context.env.clock.now().0);
    }
    if stored.outcome != Outcome::Accepted {
        return;
    }
    txn.put::<EventTimes>(&(room, event.origin_server_ts, stored.order), &EventNumRow { num: stored.num });
    write_relation(txn, room, stored);
    if let Some(target) = event.redacts.as_deref().filter(|_| event.kind == "m.room.redaction") {
        txn.put::<Redactions>(
            &(room, EventKey::of(target), stored.num),
            &RedactionRow { sender: event.sender.to_string() },
        );
    }
}

fn write_erasure(
    context: &Context,
    txn: &mut Txn,
    lane: Lane,
    working: &Working,
    event: EventNum,
    redaction: EventNum,
) {
    let due_ms = context.env.clock.now().0.saturating_add(context.config.redacted_kept_ms);
    txn.put::<ErasuresDue>(&(lane, due_ms, working.room.key, event), &ErasureDue { redaction });
}

/// A member's row in the room's lane and, for our own users, the entry of their list of rooms in theirs.
fn write_member(
    context: &Context,
    txn: &mut Txn,
    working: &Working,
    user: UserKey,
    change: &MemberChange,
    slot: Option<PosSlot>,
) {
    let key = (working.room.key, user);
    match slot {
        Some(slot) => txn.put_stamped::<Memberships>(&key, slot, &change.row),
        None => txn.put::<Memberships>(&key, &change.row),
    }
    let is_local =
        UserId::parse(change.row.user_id.as_str()).is_ok_and(|user| user.server_name() == context.env.server_name);
    if !is_local {
        return;
    }
    let row = UserRoom {
        pos: LanePos(0),
        room_id: working.room.room_id.to_string(),
        membership: change.row.membership,
        event_id: change.event_id.to_string(),
        sender: change.sender.clone(),
        forgotten: false,
        stripped: match change.row.membership {
            Membership::Invite | Membership::Knock => change.stripped.clone(),
            _ => Vec::new(),
        },
    };
    let slot = txn.outbox_pos(context.reader.store().lane_of(&user.0));
    txn.outbox_put_stamped::<UserRooms>(&(user, working.room.key), slot, &row);
}

fn split_set(row: &StateSetRow) -> Vec<StateSetRow> {
    let part = |changes: &[_]| StateSetRow { parent: row.parent, distance: row.distance, changes: changes.to_vec() };
    if row.changes.is_empty() {
        return vec![part(&[])];
    }
    row.changes.chunks(CHANGES_PER_CHUNK).map(part).collect()
}

/// Puts the redacted form in the place of a redacted event's original.
///
/// # Errors
/// When reading or writing fails.
pub async fn erase_original(
    reader: &RoomReader,
    room: &RoomSnapshot,
    num: EventNum,
    due: (Lane, u64),
) -> Result<(), RoomError> {
    let store = reader.store();
    let mut txn = store.txn().home(due.0);
    txn.delete::<ErasuresDue>(&(due.0, due.1, room.key, num));
    let stored = reader.list_events(room, &[num]).await?;
    if let Some(stored) = stored.first().filter(|stored| stored.redacted_by.is_some()) {
        // What is in memory of a redacted event is its redacted form already.
        txn.put::<Events>(&(room.key, num), &stored.to_row());
    }
    store.commit(txn).await?;
    Ok(())
}
