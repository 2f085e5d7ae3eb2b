//! The output log: what rooms did, in the order of each lane. Followers read it at their own pace, and may read twice.

use hearth_protocol::{EventNum, Lane, LanePos, RoomKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// One row for each event that arrived as news. Owner: rooms.
pub struct OutputLog;
impl Table for OutputLog {
    const NUMBER: u16 = 240;
    const NAME: &'static str = "output_log";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, LanePos);
    type Value = LogRow;
}
impl ScanBy<Lane> for OutputLog {}

/// Which event arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    pub room: RoomKey,
    pub event: EventNum,
}
value!(LogRow, 1);

/// How far each follower has read. Owner: the follower of that name.
pub struct FollowerPositions;
impl Table for FollowerPositions {
    const NUMBER: u16 = 241;
    const NAME: &'static str = "follower_position";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, String);
    type Value = FollowerPosition;
}
impl ScanBy<Lane> for FollowerPositions {}

/// The last position that a follower is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowerPosition {
    pub pos: LanePos,
}
value!(FollowerPosition, 1);

/// Redacted events whose original is to be erased, by the time when that is due. Owner: rooms.
pub struct ErasuresDue;
impl Table for ErasuresDue {
    const NUMBER: u16 = 242;
    const NAME: &'static str = "erasure_due";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    /// Lane, milliseconds since the epoch, room, event.
    type Key = (Lane, u64, RoomKey, EventNum);
    type Value = ErasureDue;
}
impl ScanBy<Lane> for ErasuresDue {}

/// Nothing beyond the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureDue {
    pub redaction: EventNum,
}
value!(ErasureDue, 1);
