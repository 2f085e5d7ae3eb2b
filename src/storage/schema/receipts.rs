//! Read receipts, in the lane of their room. Only `homeserver/rooms/receipts.rs` writes here.

use hearth_protocol::{LanePos, RoomKey, UserKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, StampedValue, Table, value};

/// How far a user has read a room: one row for each kind of receipt and thread. Owner: rooms.
pub struct Receipts;
impl Table for Receipts {
    const NUMBER: u16 = 300;
    const NAME: &'static str = "receipt";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    /// Room, user, number of the kind, thread (empty for a receipt without one).
    type Key = (RoomKey, UserKey, u8, String);
    type Value = Receipt;
}
impl ScanBy<(RoomKey, UserKey)> for Receipts {}

/// The newest receipt of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When it was recorded; the key of its row in [`ReceiptChanges`].
    pub pos: LanePos,
    /// Where the event that was read had arrived; zero when it never arrived as news or is not known.
    pub read_to: LanePos,
    /// The event's place in history: depth, then order.
    pub depth: u64,
    /// See `depth`.
    pub order: i64,
    /// The event that was read.
    pub event_id: String,
}
value!(Receipt, 1);
impl StampedValue for Receipt {}

/// The receipts of a room in the order in which they were recorded, each only where it stands now. Owner: rooms.
pub struct ReceiptChanges;
impl Table for ReceiptChanges {
    const NUMBER: u16 = 301;
    const NAME: &'static str = "receipt_change";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, LanePos);
    type Value = ReceiptChange;
}
impl ScanBy<RoomKey> for ReceiptChanges {}

/// A receipt with all that clients are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptChange {
    /// Who has read.
    pub user_id: String,
    /// The number of the kind, as in the key of [`Receipts`].
    pub kind: u8,
    /// The thread; empty for a receipt without one.
    pub thread: String,
    /// What was read.
    pub event_id: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}
value!(ReceiptChange, 1);

/// Where a room's newest receipt stands, so that old sync tokens need not look into every room. Owner: rooms.
pub struct ReceiptHeads;
impl Table for ReceiptHeads {
    const NUMBER: u16 = 302;
    const NAME: &'static str = "receipt_head";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = RoomKey;
    type Value = ReceiptHead;
}

/// The newest receipt of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptHead {
    pub pos: LanePos,
}
value!(ReceiptHead, 1);
impl StampedValue for ReceiptHead {}
