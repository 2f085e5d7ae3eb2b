//! What changed in a lane beside events: the second half of the output log, for those who wait in a sync.

use hearth_protocol::{Lane, LanePos, RoomKey, UserKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// One row for each change that is no event and that clients are told of; old rows are cleared away by the sync follower.
///
/// Whoever commits such a change writes its row at the same position, in the same commit. Owner: the domain of the change.
pub struct ChangeLog;
impl Table for ChangeLog {
    const NUMBER: u16 = 303;
    const NAME: &'static str = "change_log";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, LanePos);
    type Value = Change;
}
impl ScanBy<Lane> for ChangeLog {}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A user's account data.
    AccountData(UserKey),
    /// A receipt in a room.
    Receipt(RoomKey),
}
value!(Change, 1);
