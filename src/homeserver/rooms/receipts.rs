//! Read receipts (C-S API, "Receipts"): public and private ones, for a whole room or for a thread.
//!
//! A receipt is one row that moves forward only. It is told of in the order of the room's lane, like an event,
//! so that it is neither lost nor sent twice.

use std::sync::Arc;

use hearth_protocol::{Clock, LanePos, RoomKey, UserKey, relation_of};
use hearth_storage::schema::changes::{Change, ChangeLog};
use hearth_storage::schema::receipts::{
    Receipt, ReceiptChange, ReceiptChanges, ReceiptHead, ReceiptHeads, Receipts as ReceiptRows,
};
use hearth_storage::schema::users::Membership;
use hearth_storage::{CommitError, Page, StorageError, Store};
use ruma::{EventId, OwnedEventId};

use super::error::RoomError;
use super::receipt_tails::ReceiptTails;
use super::stored_event::StoredEvent;
use super::view::RoomView;
use crate::Env;
use crate::users::LocalUser;

/// The thread that holds what belongs to no thread.
pub const MAIN_THREAD: &str = "main";
/// How often a receipt is tried again when another one of the same user came between.
const TRIES_MAX: usize = 4;
/// Relations that are followed from an event to the root of its thread.
const RELATION_STEPS_MAX: usize = 4;
/// Receipts of one user in one room that are looked at.
const OWN_RECEIPTS_MAX: usize = 1_000;
/// The longest thread id, in bytes.
const THREAD_BYTES_MAX: usize = 255;

/// What a receipt says; the numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptKind {
    /// `m.read`, seen by the whole room.
    Read = 0,
    /// `m.read.private`, seen by the user's own devices.
    ReadPrivate = 1,
}

impl ReceiptKind {
    /// The kind of a stored number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Read, Self::ReadPrivate].into_iter().find(|kind| *kind as u8 == number)
    }

    /// The kind of a name, when it is one of receipts.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Read, Self::ReadPrivate].into_iter().find(|kind| kind.as_str() == name)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "m.read",
            Self::ReadPrivate => "m.read.private",
        }
    }
}

/// How far a user has read, by thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadMarks {
    /// Everything that arrived up to here.
    pub all: LanePos,
    /// Threads that are read further, and how far; [`MAIN_THREAD`] stands for what is in no thread.
    pub threads: Vec<(String, LanePos)>,
}

impl ReadMarks {
    /// How far a thread is read; none stands for the main one.
    #[must_use]
    pub fn of_thread(&self, thread: Option<&str>) -> LanePos {
        let thread = thread.unwrap_or(MAIN_THREAD);
        let own = self.threads.iter().find(|(known, _)| known == thread).map_or(LanePos(0), |(_, pos)| *pos);
        own.max(self.all)
    }

    /// Notes that a thread (empty for all of them) is read up to a position.
    pub fn add(&mut self, thread: &str, pos: LanePos) {
        if thread.is_empty() {
            self.all = self.all.max(pos);
            return;
        }
        match self.threads.iter_mut().find(|(known, _)| known == thread) {
            Some((_, known)) => *known = (*known).max(pos),
            None => self.threads.push((thread.to_owned(), pos)),
        }
    }
}

/// The handle; cheap to clone.
#[derive(Clone)]
pub struct Receipts {
    store: Store,
    clock: Arc<dyn Clock>,
    tails: Arc<ReceiptTails>,
}

impl Receipts {
    /// The receipts of a server.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self { store: env.store.clone(), clock: env.clock.clone(), tails: Arc::default() }
    }

    /// Notes that a user has read up to an event; does nothing when a later one is read already.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`] for who is not in the room, [`RoomError::Invalid`] for a thread that is none or not the event's.
    pub async fn record(
        &self,
        user: &LocalUser,
        view: &RoomView,
        kind: ReceiptKind,
        event_id: &EventId,
        thread: Option<&str>,
    ) -> Result<(), RoomError> {
        if view.membership(&user.user_id) != Some(Membership::Join) {
            return Err(RoomError::Forbidden("not in the room".to_owned()));
        }
        let event = view.load_event(event_id).await?.filter(|event| event.is_shown());
        check_thread(view, event.as_deref(), event_id, thread).await?;
        let receipt = Receipt {
            pos: LanePos(0),
            read_to: event.as_ref().map_or(LanePos(0), |event| event.pos),
            depth: event.as_ref().map_or(0, |event| event.event.depth),
            order: event.as_ref().map_or(0, |event| event.order),
            event_id: event_id.to_string(),
        };
        let change = ReceiptChange {
            user_id: user.user_id.to_string(),
            kind: kind as u8,
            thread: thread.unwrap_or_default().to_owned(),
            event_id: event_id.to_string(),
            at_ms: self.clock.now().0,
        };
        self.record_row(view.room.key, user.key, &receipt, &change).await
    }

    async fn record_row(
        &self,
        room: RoomKey,
        user: UserKey,
        receipt: &Receipt,
        change: &ReceiptChange,
    ) -> Result<(), RoomError> {
        let key = (room, user, change.kind, change.thread.clone());
        for _ in 0..TRIES_MAX {
            let old = self.store.get::<ReceiptRows>(&key).await?;
            if old.as_ref().is_some_and(|old| !moves_forward(old, receipt)) {
                return Ok(());
            }
            match self.commit(&key, old.as_ref(), receipt, change).await {
                Err(CommitError::Conflict { .. }) => {}
                outcome => return Ok(outcome?),
            }
        }
        // Others were quicker each time: what they wrote is as new as ours.
        Ok(())
    }

    async fn commit(
        &self,
        key: &(RoomKey, UserKey, u8, String),
        old: Option<&Receipt>,
        receipt: &Receipt,
        change: &ReceiptChange,
    ) -> Result<(), CommitError> {
        let room = key.0;
        let lane = self.store.lane_of(&room.0);
        let mut txn = self.store.txn();
        let slot = txn.next_pos(lane);
        if let Some(old) = old {
            txn.assert_eq::<ReceiptRows>(key, old);
            txn.delete::<ReceiptChanges>(&(room, old.pos));
        } else {
            txn.assert_absent::<ReceiptRows>(key);
        }
        txn.put_stamped::<ReceiptRows>(key, slot, receipt);
        txn.put_at::<ReceiptChanges>(&room, slot, change);
        txn.put_stamped::<ReceiptHeads>(&room, slot, &ReceiptHead { pos: LanePos(0) });
        txn.put_at::<ChangeLog>(&lane, slot, &Change::Receipt(room));
        self.store.commit(txn).await.map(|_| ())
    }

    /// The receipts of a room that were recorded in `(from, to]`, the newest first, private ones of everybody included:
    /// the caller leaves out those of others.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_changed(
        &self,
        room: RoomKey,
        from: LanePos,
        to: LanePos,
        limit: usize,
    ) -> Result<Vec<Arc<ReceiptChange>>, StorageError> {
        if from > LanePos(0)
            && let Some(mut rows) = self.tails.list(&self.store, room, from, to).await?
        {
            rows.truncate(limit);
            return Ok(rows);
        }
        let page = Page::last(limit).after((room, from)).up_to((room, to));
        let rows = self.store.scan::<ReceiptChanges, _>(&room, page).await?;
        Ok(rows.rows.into_iter().map(|(_, row)| Arc::new(row)).collect())
    }

    /// How far a user has read a room, by what was recorded up to now.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn read_marks(&self, room: RoomKey, user: UserKey) -> Result<ReadMarks, StorageError> {
        let rows = self.store.scan::<ReceiptRows, _>(&(room, user), Page::first(OWN_RECEIPTS_MAX)).await?;
        let mut marks = ReadMarks::default();
        for ((_, _, _, thread), row) in rows.rows {
            marks.add(&thread, row.read_to);
        }
        Ok(marks)
    }

    /// Where the newest receipt of each room stands; none for rooms without one.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_heads(&self, rooms: &[RoomKey]) -> Result<Vec<Option<LanePos>>, StorageError> {
        let heads = self.store.multi_get::<ReceiptHeads>(rooms).await?;
        Ok(heads.into_iter().map(|head| head.map(|head| head.pos)).collect())
    }
}

/// The root of the thread that an event is in, also through an event that it relates to; none for the main one.
///
/// # Errors
/// When reading fails.
pub async fn thread_root(view: &RoomView, event: &StoredEvent) -> Result<Option<OwnedEventId>, StorageError> {
    let mut relation = relation_of(&event.event);
    for _ in 0..RELATION_STEPS_MAX {
        let Some(found) = relation else {
            return Ok(None);
        };
        if found.rel_type == "m.thread" {
            return Ok(Some(found.target));
        }
        let Some(parent) = view.load_event(&found.target).await? else {
            return Ok(None);
        };
        relation = relation_of(&parent.event);
    }
    Ok(None)
}

/// Whether a newer receipt reads further than the one that stands.
fn moves_forward(old: &Receipt, new: &Receipt) -> bool {
    if old.event_id == new.event_id {
        return false;
    }
    (new.read_to, new.depth, new.order) > (old.read_to, old.depth, old.order)
}

async fn check_thread(
    view: &RoomView,
    event: Option<&StoredEvent>,
    event_id: &EventId,
    thread: Option<&str>,
) -> Result<(), RoomError> {
    let Some(thread) = thread else { return Ok(()) };
    if thread.is_empty() || thread.len() > THREAD_BYTES_MAX {
        return Err(RoomError::Invalid("thread_id is not a thread"));
    }
    // What is not known here is nobody's thread: an unlimited number of rows must not be had by making up names.
    let Some(event) = event else {
        return Err(RoomError::Invalid("the event is not known, so it is in no thread"));
    };
    let fits = if thread == MAIN_THREAD {
        thread_root(view, event).await?.is_none()
    } else {
        event_id == thread || leads_to(view, event, thread).await?
    };
    if fits { Ok(()) } else { Err(RoomError::Invalid("the event is not in this thread")) }
}

/// Whether an event's relations, of whatever kind, lead to the root of a thread: what speaks of the root, or of an event
/// in the thread, may be read with the thread as well as outside of it.
async fn leads_to(view: &RoomView, event: &StoredEvent, thread: &str) -> Result<bool, StorageError> {
    let mut relation = relation_of(&event.event);
    for _ in 0..RELATION_STEPS_MAX {
        let Some(found) = relation else { return Ok(false) };
        if found.target == thread {
            return Ok(true);
        }
        let Some(parent) = view.load_event(&found.target).await? else { return Ok(false) };
        relation = relation_of(&parent.event);
    }
    Ok(false)
}

#[cfg(test)]
#[path = "receipts_tests.rs"]
mod tests;
