//! The tables of rooms. All of a room's rows lie in the room's lane, so that one change of a room is one commit.
//!
//! Only the commit step of the pipeline writes here (`homeserver/rooms/pipeline/commit.rs`).

use hearth_protocol::{EventKey, EventNum, Lane, LanePos, RoomKey, StateKeyNum, StateSetNum, UserKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, StampedValue, Table, value};

/// What a room's queue has to know before it can build the next event. Owner: rooms.
pub struct RoomHeads;
impl Table for RoomHeads {
    const NUMBER: u16 = 200;
    const NAME: &'static str = "room_head";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = RoomKey;
    type Value = RoomHead;
}
/// Of all rooms: for `hearth check`, never for a request.
impl ScanBy<()> for RoomHeads {}

/// One row a room, rewritten by each commit that changes the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHead {
    /// The position of the newest event that arrived as news.
    pub last_pos: LanePos,
    /// The room's id as clients write it.
    pub room_id: String,
    /// The room version's identifier.
    pub version: String,
    /// The events that no other event cites as its predecessor.
    pub extremities: Vec<Extremity>,
    /// The current state.
    pub state: StateSetNum,
    /// How many parents lie between the current state's set and a full one.
    pub state_distance: u8,
    /// The numbers that the next event, state key, state set and chain get.
    pub next: NextNumbers,
}
value!(RoomHead, 1);
impl StampedValue for RoomHead {}

/// An end of the room's event graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extremity {
    pub num: EventNum,
    pub event_id: String,
    pub depth: u64,
}

/// Counters of a room: all numbers are dense and start at zero (orders start at one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextNumbers {
    pub event: u32,
    pub state_key: u32,
    pub state_set: u32,
    pub chain: u32,
    /// Order of the next event that arrives; counts upwards.
    pub order_up: i64,
    /// Order of the next event that is backfilled; counts downwards.
    pub order_down: i64,
}

/// An event with what was decided about it. Owner: rooms.
pub struct Events;
impl Table for Events {
    const NUMBER: u16 = 201;
    const NAME: &'static str = "event";
    const PROFILE: Profile = Profile::Blob;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, EventNum);
    type Value = EventRow;
}

/// The stored form of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Where it arrived in its lane's log; zero for what never arrived as news (backfilled, soft-failed, rejected).
    pub pos: LanePos,
    pub event_id: String,
    pub outcome: Outcome,
    pub depth: u64,
    /// Breaks ties of depth in history.
    pub order: i64,
    /// The state before the event.
    pub before: StateSetNum,
    /// The state after the event; differs from `before` only for accepted state events.
    pub after: StateSetNum,
    /// The place in the chain cover; state events only.
    pub chain: Option<ChainPlace>,
    /// The redaction that took effect on this event.
    pub redacted_by: Option<EventNum>,
    /// Which device sent it by which transaction, for `unsigned.transaction_id`.
    pub transaction: Option<(String, String)>,
    /// The federation form, canonical JSON, without `unsigned`.
    pub json: String,
}
value!(EventRow, 1);
impl StampedValue for EventRow {}

/// What the auth rules said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// In the timeline and the log.
    Accepted,
    /// Known to later events, not shown (S-S API, "Soft failure").
    SoftFailed,
    /// Never served, never an extremity; what cites it is rejected too.
    Rejected,
}

/// A place in the chain cover: every event of a chain has all earlier ones of it in its auth chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainPlace {
    pub chain: u32,
    pub sequence: u32,
}

/// From an event's id to its number in the room. Owner: rooms.
pub struct EventNums;
impl Table for EventNums {
    const NUMBER: u16 = 202;
    const NAME: &'static str = "event_num";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, EventKey);
    type Value = EventNumRow;
}

/// The number of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventNumRow {
    pub num: EventNum,
}
value!(EventNumRow, 1);

/// New events of a room in stream order. Followed by sync and the followers of the log. Owner: rooms.
pub struct Arrival;
impl Table for Arrival {
    const NUMBER: u16 = 203;
    const NAME: &'static str = "arrival";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, LanePos);
    type Value = EventNumRow;
}
impl ScanBy<RoomKey> for Arrival {}

/// All that may be shown of a room, in the order of history. Followed by pagination. Owner: rooms.
pub struct History;
impl Table for History {
    const NUMBER: u16 = 204;
    const NAME: &'static str = "history";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Depth, then order.
    type Key = (RoomKey, u64, i64);
    type Value = EventNumRow;
}
impl ScanBy<RoomKey> for History {}

/// The pairs of type and state key that a room has ever used. Owner: rooms.
pub struct StateKeys;
impl Table for StateKeys {
    const NUMBER: u16 = 205;
    const NAME: &'static str = "state_key";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, StateKeyNum);
    type Value = StateKeyRow;
}
impl ScanBy<RoomKey> for StateKeys {}

/// A pair of event type and state key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateKeyRow {
    pub kind: String,
    pub state_key: String,
}
value!(StateKeyRow, 1);

/// Numbered sets of state, in chunks. Owner: rooms.
pub struct StateSets;
impl Table for StateSets {
    const NUMBER: u16 = 206;
    const NAME: &'static str = "state_set";
    const PROFILE: Profile = Profile::Blob;
    const PLACE: Place = Place::ByRoom;
    /// The last number is the chunk, from zero.
    type Key = (RoomKey, StateSetNum, u16);
    type Value = StateSetRow;
}
impl ScanBy<(RoomKey, StateSetNum)> for StateSets {}

/// A full set, or the changes against a parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSetRow {
    /// The set that `changes` apply to; none for a full set.
    pub parent: Option<StateSetNum>,
    /// How many parents lie between this set and a full one.
    pub distance: u8,
    /// What each key is set to; none removes it.
    pub changes: Vec<(StateKeyNum, Option<EventNum>)>,
}
value!(StateSetRow, 1);

/// Which event has a place in the chain cover. Owner: rooms.
pub struct ChainEvents;
impl Table for ChainEvents {
    const NUMBER: u16 = 207;
    const NAME: &'static str = "chain_event";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Chain, then sequence.
    type Key = (RoomKey, u32, u32);
    type Value = ChainEventRow;
}
impl ScanBy<RoomKey> for ChainEvents {}
impl ScanBy<(RoomKey, u32)> for ChainEvents {}

/// An event of a chain, with the links that leave its chain at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEventRow {
    pub num: EventNum,
    /// The furthest places of other chains that this event reaches and its predecessor in the chain does not.
    pub links: Vec<ChainPlace>,
}
value!(ChainEventRow, 1);

/// The membership of a user, by the current state. Owner: rooms.
pub struct Memberships;
impl Table for Memberships {
    const NUMBER: u16 = 208;
    const NAME: &'static str = "membership";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, UserKey);
    type Value = MembershipRow;
}
impl ScanBy<RoomKey> for Memberships {}

/// What a room says of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipRow {
    /// Where this membership arrived.
    pub pos: LanePos,
    pub user_id: String,
    pub membership: crate::schema::users::Membership,
    pub event: EventNum,
}
value!(MembershipRow, 1);
impl StampedValue for MembershipRow {}

/// All that may be shown of a room, by the time that its sender's server gave it. Owner: rooms.
pub struct EventTimes;
impl Table for EventTimes {
    const NUMBER: u16 = 217;
    const NAME: &'static str = "event_time";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// `origin_server_ts`, then order.
    type Key = (RoomKey, u64, i64);
    type Value = EventNumRow;
}
impl ScanBy<RoomKey> for EventTimes {}

/// Client transactions that made events; asserted absent, so that a repeated request makes nothing new. Owner: rooms.
pub struct Transactions;
impl Table for Transactions {
    const NUMBER: u16 = 209;
    const NAME: &'static str = "transaction";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    /// User, device, transaction id.
    type Key = (RoomKey, UserKey, String, String);
    type Value = TransactionRow;
}
impl ScanBy<RoomKey> for Transactions {}

/// Client transactions by the time at which they were made, to be forgotten when that is long ago. Owner: rooms.
pub struct TransactionTimes;
impl Table for TransactionTimes {
    const NUMBER: u16 = 218;
    const NAME: &'static str = "transaction_time";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    /// Lane, milliseconds since the epoch, then the key in [`Transactions`].
    type Key = (Lane, u64, RoomKey, UserKey, String, String);
    type Value = TransactionTimeRow;
}
impl ScanBy<Lane> for TransactionTimes {}

/// Nothing beyond the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionTimeRow {}
value!(TransactionTimeRow, 1);

/// What a transaction made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionRow {
    pub event_id: String,
    pub at_ms: u64,
}
value!(TransactionRow, 1);

/// Redactions by their target, also while the target is unknown. Owner: rooms.
pub struct Redactions;
impl Table for Redactions {
    const NUMBER: u16 = 211;
    const NAME: &'static str = "redaction";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, EventKey, EventNum);
    type Value = RedactionRow;
}
impl ScanBy<(RoomKey, EventKey)> for Redactions {}

/// A redaction that waits for its target or took effect on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionRow {
    pub sender: String,
}
value!(RedactionRow, 1);
