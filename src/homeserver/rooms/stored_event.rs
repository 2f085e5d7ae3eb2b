//! An event as the server holds it: the immutable event and what was decided about it.

use std::sync::{Arc, OnceLock};

use hearth_protocol::{Event, EventNum, LanePos, RoomRules, StateSetNum, client_json_head};
use hearth_storage::schema::rooms::{ChainPlace, EventRow, Outcome};
use ruma::{OwnedEventId, RoomId};

/// An event with its numbers. Shared; never changed after it was made.
#[derive(Debug)]
pub struct StoredEvent {
    /// The event, redacted when a redaction took effect.
    pub event: Arc<Event>,
    /// Its number in the room.
    pub num: EventNum,
    /// Where it arrived; zero when it never arrived as news.
    pub pos: LanePos,
    /// Its place in history, after its depth.
    pub order: i64,
    /// The state before it.
    pub before: StateSetNum,
    /// The state after it.
    pub after: StateSetNum,
    /// What the auth rules said.
    pub outcome: Outcome,
    /// Its place in the chain cover; state events only.
    pub chain: Option<ChainPlace>,
    /// The redaction that took effect on it.
    pub redacted_by: Option<EventNum>,
    /// The device and transaction that sent it.
    pub transaction: Option<(String, String)>,
    head: OnceLock<Box<str>>,
}

/// A stored row that does not parse as an event.
#[derive(Debug, thiserror::Error)]
#[error("a stored event does not parse: {0}")]
pub struct UnreadableEvent(String);

impl StoredEvent {
    /// Reads a row. The hashes were checked when the event came in.
    ///
    /// # Errors
    /// When the row's JSON is not an event of the room version: the database is damaged.
    pub fn from_row(
        rules: &RoomRules,
        room_id: &RoomId,
        num: EventNum,
        row: EventRow,
    ) -> Result<Self, UnreadableEvent> {
        let bad = |error: &dyn std::fmt::Display| UnreadableEvent(format!("{}: {error}", row.event_id));
        let id = OwnedEventId::try_from(row.event_id.as_str()).map_err(|error| bad(&error))?;
        let json =
            serde_json::value::RawValue::from_string(row.json).map_err(|error| UnreadableEvent(error.to_string()))?;
        let mut event =
            Event::from_stored(rules, id, room_id, json).map_err(|error| UnreadableEvent(error.to_string()))?;
        if row.redacted_by.is_some() {
            event = hearth_protocol::redact(rules, &event);
        }
        Ok(Self {
            event: Arc::new(event),
            num,
            pos: row.pos,
            order: row.order,
            before: row.before,
            after: row.after,
            outcome: row.outcome,
            chain: row.chain,
            redacted_by: row.redacted_by,
            transaction: row.transaction,
            head: OnceLock::new(),
        })
    }

    /// The row of an event that is about to be committed, with everything but its position.
    #[must_use]
    pub fn to_row(&self) -> EventRow {
        EventRow {
            pos: self.pos,
            event_id: self.event.id.to_string(),
            outcome: self.outcome,
            depth: self.event.depth,
            order: self.order,
            before: self.before,
            after: self.after,
            chain: self.chain,
            redacted_by: self.redacted_by,
            transaction: self.transaction.clone(),
            json: self.event.json.get().to_owned(),
        }
    }

    /// A fresh event, before its commit.
    #[must_use]
    pub fn new(event: Arc<Event>, num: EventNum, outcome: Outcome, before: StateSetNum, after: StateSetNum) -> Self {
        Self {
            event,
            num,
            pos: LanePos(0),
            order: 0,
            before,
            after,
            outcome,
            chain: None,
            redacted_by: None,
            transaction: None,
            head: OnceLock::new(),
        }
    }

    /// The same decision about another form of the event (signed, or redacted).
    #[must_use]
    pub fn with_event(&self, event: Arc<Event>) -> Self {
        Self {
            event,
            num: self.num,
            pos: self.pos,
            order: self.order,
            before: self.before,
            after: self.after,
            outcome: self.outcome,
            chain: self.chain,
            redacted_by: self.redacted_by,
            transaction: self.transaction.clone(),
            head: OnceLock::new(),
        }
    }

    /// The client form without `room_id`, `unsigned` and the closing brace; made once and shared by all readers.
    pub fn client_head(&self) -> &str {
        self.head.get_or_init(|| client_json_head(&self.event))
    }

    /// Whether the event may be shown at all (it still has to pass the access gate).
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.outcome == Outcome::Accepted
    }
}
