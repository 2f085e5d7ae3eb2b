//! What may be asked of a room's queue, and what comes back.

use std::sync::Arc;

use hearth_protocol::{Event, EventDraft, Origin, RoomRules, UnsignedEvent, UserKey};
use hearth_storage::schema::users::Membership;
use ruma::{OwnedEventId, RoomId};

use crate::rooms::stored_event::StoredEvent;

/// Events of one room that are accepted or refused together. Cloned when a batch has to be built again.
#[derive(Clone)]
pub enum Submission {
    /// A new room: its create event and what follows it at once.
    Create { rules: &'static RoomRules, create: Box<UnsignedEvent>, drafts: Vec<LocalDraft> },
    /// Events of this server's users, built in the room's queue.
    Local(Vec<LocalDraft>),
    /// Events of other servers, in an order in which predecessors come first. With a create event at their head
    /// they make the room known here.
    Remote { rules: &'static RoomRules, origin: Origin, events: Vec<RemoteEvent> },
}

/// An event of a local user, before it has a place in the room.
#[derive(Clone)]
pub struct LocalDraft {
    pub draft: EventDraft,
    /// For membership events: what the target's membership has to be, and what to answer otherwise.
    pub target: Option<(&'static [Option<Membership>], &'static str)>,
    /// The client's transaction, for idempotency.
    pub transaction: Option<Transaction>,
}

/// Which device sent an event by which transaction id (C-S API, "Transaction identifiers").
#[derive(Clone, Debug)]
pub struct Transaction {
    pub user: UserKey,
    pub device: String,
    pub id: String,
}

/// A remote event whose format, hashes and signatures were checked.
#[derive(Clone)]
pub struct RemoteEvent {
    pub event: Arc<Event>,
}

/// What became of a submission: its events, in its order.
#[derive(Clone, Debug)]
pub struct Submitted {
    pub events: Vec<SubmittedEvent>,
}

/// What became of one event.
#[derive(Clone, Debug)]
pub enum SubmittedEvent {
    /// It is in the room now.
    New(Arc<StoredEvent>),
    /// Nothing was made: the room had it, or the same state, already.
    Existing(OwnedEventId),
}

impl SubmittedEvent {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &OwnedEventId {
        match self {
            Self::New(stored) => &stored.event.id,
            Self::Existing(id) => id,
        }
    }
}

impl Submission {
    /// How many events it may make; a measure for batching.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Create { drafts, .. } => 1 + drafts.len(),
            Self::Local(drafts) => drafts.len(),
            Self::Remote { events, .. } => events.len(),
        }
    }

    /// The room that this makes known, and its rules.
    #[must_use]
    pub fn created_room(&self) -> Option<(&RoomId, &'static RoomRules)> {
        match self {
            Self::Create { create, rules, .. } => Some((&create.event.room_id, rules)),
            Self::Remote { rules, events, .. } => {
                let first = events.first().filter(|first| first.event.kind == "m.room.create")?;
                Some((&first.event.room_id, rules))
            }
            Self::Local(_) => None,
        }
    }
}
