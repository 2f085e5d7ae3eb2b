//! What relates to what in a room: an index of relations for each way in which they are asked for, and their totals.
//!
//! An event that was redacted relates to nothing: its rows go with the commit of the redaction. Only the commit step of
//! the pipeline writes here.

use hearth_protocol::{EventKey, EventNum, RoomKey, UserKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// Events that relate to an event, of each type of relation in the order of history. Owner: rooms.
pub struct RelationsByType;
impl Table for RelationsByType {
    const NUMBER: u16 = 212;
    const NAME: &'static str = "relation_by_type";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Target, type of relation, depth, order.
    type Key = (RoomKey, EventKey, String, u64, i64);
    type Value = RelatedRow;
}
impl ScanBy<(RoomKey, EventKey, String)> for RelationsByType {}

/// All events that relate to an event, in the order of history. Owner: rooms.
pub struct RelationsByHistory;
impl Table for RelationsByHistory {
    const NUMBER: u16 = 213;
    const NAME: &'static str = "relation_by_history";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Target, depth, order.
    type Key = (RoomKey, EventKey, u64, i64);
    type Value = RelatedRow;
}
impl ScanBy<(RoomKey, EventKey)> for RelationsByHistory {}
/// Of all events of a room: for `hearth check`, never for a request.
impl ScanBy<RoomKey> for RelationsByHistory {}

/// An event that relates to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedRow {
    pub num: EventNum,
    /// Its event type.
    pub kind: String,
    pub rel_type: String,
    pub sender: String,
}
value!(RelatedRow, 1);

/// Events that relate to an event, by who sent them, the oldest by their own time first: the edits of the sender of
/// the target, the annotations that somebody made already, whether somebody takes part in a thread. Owner: rooms.
pub struct RelationsBySender;
impl Table for RelationsBySender {
    const NUMBER: u16 = 214;
    const NAME: &'static str = "relation_by_sender";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Target, sender, type of relation, `origin_server_ts`, number.
    type Key = (RoomKey, EventKey, UserKey, String, u64, EventNum);
    type Value = SentRelationRow;
}
impl ScanBy<(RoomKey, EventKey, UserKey, String)> for RelationsBySender {}

/// What somebody's event says of its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRelationRow {
    /// Its event type.
    pub kind: String,
    /// The `key` of an annotation.
    pub key: Option<String>,
}
value!(SentRelationRow, 1);

/// How much relates to an event; no row for most events. Owner: rooms.
pub struct RelationTotals;
impl Table for RelationTotals {
    const NUMBER: u16 = 215;
    const NAME: &'static str = "relation_total";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, EventKey);
    type Value = RelationTotal;
}
/// Of all events of a room: for `hearth check`, never for a request.
impl ScanBy<RoomKey> for RelationTotals {}

/// Events that relate to an event, by type of relation, redacted ones left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationTotal {
    /// `m.replace`, valid or not.
    pub edits: u32,
    /// `m.thread`.
    pub replies: u32,
    /// `m.reference`.
    pub references: u32,
    /// Everything else.
    pub others: u32,
    /// Depth and order of the newest `m.thread`; the place of its row in [`Threads`].
    pub newest_reply: Option<(u64, i64)>,
}
value!(RelationTotal, 1);

/// The threads of a room, in the order of their newest events. Owner: rooms.
pub struct Threads;
impl Table for Threads {
    const NUMBER: u16 = 216;
    const NAME: &'static str = "thread";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Depth and order of the thread's newest event.
    type Key = (RoomKey, u64, i64);
    type Value = ThreadRow;
}
impl ScanBy<RoomKey> for Threads {}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRow {
    /// The event from which it starts; it need not be known.
    pub root: EventKey,
}
value!(ThreadRow, 1);
