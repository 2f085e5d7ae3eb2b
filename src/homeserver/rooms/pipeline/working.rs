//! A room while events are being added to it: a copy of its snapshot, and what the commit will have to write.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hearth_protocol::{Event, EventKey, EventNum, StateKeyNum, StateSetNum, UnsignedEvent, UserKey};
use hearth_storage::StorageError;
use hearth_storage::schema::rooms::{ChainPlace, Extremity, MembershipRow, Outcome, StateKeyRow, StateSetRow};
use hearth_storage::schema::users::Membership;
use ruma::{EventId, OwnedEventId, UserId};

use super::relations::Related;
use super::submission::Transaction;
use crate::rooms::reader::RoomReader;
use crate::rooms::snapshot::RoomSnapshot;
use crate::rooms::stored_event::StoredEvent;

/// An event that will be written.
pub struct Pending {
    /// Everything decided about it but its position.
    pub stored: StoredEvent,
    /// The local event that still wants a signature; none for remote ones.
    pub unsigned: Option<UnsignedEvent>,
    pub transaction: Option<Transaction>,
    /// Whether it was made here just now, so that nothing can refer to it yet.
    pub is_new_here: bool,
    /// Whether it arrives as news: gets a position, a row of the log and a place in arrival order.
    pub is_news: bool,
    /// The links that leave its chain at it.
    pub links: Vec<ChainPlace>,
}

/// A membership that the commit changes.
#[derive(Clone)]
pub struct MemberChange {
    pub row: MembershipRow,
    /// Index of the pending event that changed it.
    pub by: usize,
    /// For invites and knocks of local users: what the client may see of the room.
    pub stripped: Vec<String>,
    pub event_id: OwnedEventId,
    pub sender: String,
}

/// What the commit has to write, in order of the events.
pub struct Working {
    pub room: RoomSnapshot,
    pub events: Vec<Pending>,
    pub state_keys: Vec<(StateKeyNum, StateKeyRow)>,
    pub sets: Vec<(StateSetNum, StateSetRow)>,
    pub members: BTreeMap<UserKey, MemberChange>,
    /// Targets whose rows get a redaction: the target as stored before, and the redaction's number.
    pub redacted: Vec<(Arc<StoredEvent>, EventNum)>,
    /// Targets of relations whose totals change.
    pub related: BTreeMap<EventKey, Related>,
    fresh: HashMap<OwnedEventId, usize>,
}

impl Working {
    /// A copy to work on.
    #[must_use]
    pub fn new(room: RoomSnapshot) -> Self {
        Self {
            room,
            events: Vec::new(),
            state_keys: Vec::new(),
            sets: Vec::new(),
            members: BTreeMap::new(),
            redacted: Vec::new(),
            related: BTreeMap::new(),
            fresh: HashMap::new(),
        }
    }

    /// How much was done so far, to go back to when a submission fails half-way.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            room: self.room.clone(),
            events: self.events.len(),
            state_keys: self.state_keys.len(),
            sets: self.sets.len(),
            redacted: self.redacted.len(),
            related: self.related.clone(),
            members: self.members.clone(),
        }
    }

    /// The pending event of an id.
    #[must_use]
    pub fn pending(&self, id: &EventId) -> Option<&Pending> {
        self.fresh.get(id).map(|index| &self.events[*index])
    }

    /// The number of a pair; a new one is noted for the commit.
    pub fn intern(&mut self, kind: &str, state_key: &str) -> StateKeyNum {
        let (num, is_new) = self.room.keys.intern(kind, state_key);
        // A pair that a failed submission interned stays in the table, and is written with the next one that commits.
        if is_new || num.0 >= self.room.head.next.state_key {
            for n in self.room.head.next.state_key..=num.0 {
                if let Some((kind, state_key)) = self.room.keys.pair(StateKeyNum(n)) {
                    self.state_keys.push((
                        StateKeyNum(n),
                        StateKeyRow { kind: kind.to_string(), state_key: state_key.to_string() },
                    ));
                }
            }
            self.room.head.next.state_key = num.0 + 1;
        }
        num
    }

    /// The next event number.
    pub fn next_event_num(&mut self) -> EventNum {
        let num = EventNum(self.room.head.next.event);
        self.room.head.next.event += 1;
        num
    }

    /// Adds an event that will be written.
    pub fn push(&mut self, mut pending: Pending) -> usize {
        let next = &mut self.room.head.next;
        pending.stored.order = if pending.is_news || pending.stored.outcome != Outcome::Accepted {
            next.order_up += 1;
            next.order_up - 1
        } else {
            next.order_down -= 1;
            next.order_down + 1
        };
        let index = self.events.len();
        self.fresh.insert(pending.stored.event.id.clone(), index);
        self.events.push(pending);
        index
    }

    /// Makes an accepted event the newest end of the graph, in place of those that it cites.
    pub fn apply_extremity(&mut self, event: &Event, num: EventNum) {
        let ends = &mut self.room.head.extremities;
        ends.retain(|end| !event.prev_events.iter().any(|prev| prev.as_str() == end.event_id));
        ends.push(Extremity { num, event_id: event.id.to_string(), depth: event.depth });
    }

    /// Reads an event: pending, cached, or stored.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn event(&self, reader: &RoomReader, num: EventNum) -> Result<Arc<Event>, StorageError> {
        if let Some(pending) = self.events.iter().rev().find(|pending| pending.stored.num == num) {
            return Ok(pending.stored.event.clone());
        }
        if let Some(stored) = reader.cached_event(self.room.key, num) {
            return Ok(stored.event.clone());
        }
        let stored = reader.list_events(&self.room, &[num]).await?;
        stored.first().map(|stored| stored.event.clone()).ok_or(StorageError::Down)
    }

    /// The current state event of a pair.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn state_event(
        &self,
        reader: &RoomReader,
        kind: &str,
        state_key: &str,
    ) -> Result<Option<(EventNum, Arc<Event>)>, StorageError> {
        let Some(num) = self.room.state_num(kind, state_key) else {
            return Ok(None);
        };
        Ok(Some((num, self.event(reader, num).await?)))
    }

    /// Notes what a membership event does, when it is the one in force.
    pub fn apply_membership(&mut self, by: usize, event: &Event, num: EventNum, stripped: Vec<String>) {
        let Some(state_key) = event.state_key.as_deref() else {
            return;
        };
        let Ok(user) = UserId::parse(state_key) else {
            return;
        };
        let Some(membership) = membership_of(event) else {
            return;
        };
        let row = MembershipRow { pos: hearth_protocol::LanePos(0), user_id: user.to_string(), membership, event: num };
        let key = UserKey::of(&user);
        self.room.apply_member(key, Arc::new(row.clone()));
        self.members.insert(
            key,
            MemberChange { row, by, stripped, event_id: event.id.clone(), sender: event.sender.to_string() },
        );
    }
}

/// The membership that an event says.
#[must_use]
pub fn membership_of(event: &Event) -> Option<Membership> {
    #[derive(serde::Deserialize)]
    struct Content {
        membership: String,
    }
    let content: Content = event.content_as().ok()?;
    content.membership.parse().ok()
}

/// A point to go back to.
pub struct Mark {
    room: RoomSnapshot,
    events: usize,
    state_keys: usize,
    sets: usize,
    redacted: usize,
    related: BTreeMap<EventKey, Related>,
    members: BTreeMap<UserKey, MemberChange>,
}

impl Working {
    /// Undoes everything since the mark.
    pub fn rewind(&mut self, mark: Mark) {
        self.room = mark.room;
        self.events.truncate(mark.events);
        self.state_keys.truncate(mark.state_keys);
        self.sets.truncate(mark.sets);
        self.redacted.truncate(mark.redacted);
        self.related = mark.related;
        self.fresh.retain(|_, index| *index < mark.events);
        self.members = mark.members;
    }
}

impl Working {
    /// Notes that the state no longer names a user: the same, to a reader, as having left.
    pub fn apply_no_membership(&mut self, by: usize, user: &UserId) {
        let key = UserKey::of(user);
        let Some(old) = self.room.member(key).cloned() else {
            return;
        };
        let row = MembershipRow { membership: Membership::Leave, pos: hearth_protocol::LanePos(0), ..(*old).clone() };
        self.room.apply_member(key, Arc::new(row.clone()));
        let (event_id, sender) = (self.events[by].stored.event.id.clone(), user.to_string());
        self.members.insert(key, MemberChange { row, by, stripped: Vec::new(), event_id, sender });
    }
}
