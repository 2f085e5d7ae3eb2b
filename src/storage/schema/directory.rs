//! Names of rooms, which rooms are listed for everybody to find, and which were replaced.

use hearth_protocol::{Lane, RoomKey};
use ruma::OwnedRoomAliasId;
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// The room that an alias of this server names. Owner: rooms/aliases.
pub struct RoomAliases;
impl Table for RoomAliases {
    const NUMBER: u16 = 220;
    const NAME: &'static str = "room_alias";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByKey;
    type Key = OwnedRoomAliasId;
    type Value = RoomAlias;
}

/// What an alias names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomAlias {
    /// The room.
    pub room_id: String,
    /// Who made the alias: they may delete it, whatever their power.
    pub creator: String,
    /// When it was made or moved to another room, in milliseconds since 1970.
    pub at_ms: u64,
}
value!(RoomAlias, 1);

/// The aliases of this server that name a room, by room; follows [`RoomAliases`] through the outbox. Owner: rooms/aliases.
pub struct AliasesOfRoom;
impl Table for AliasesOfRoom {
    const NUMBER: u16 = 221;
    const NAME: &'static str = "alias_of_room";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, OwnedRoomAliasId);
    /// Nothing beyond the key.
    type Value = ();
}
impl ScanBy<RoomKey> for AliasesOfRoom {}

/// The rooms that are listed in this server's directory, in their own lanes. Owner: rooms/directory.
pub struct ListedRooms;
impl Table for ListedRooms {
    const NUMBER: u16 = 222;
    const NAME: &'static str = "listed_room";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, RoomKey);
    type Value = ListedRoom;
}
impl ScanBy<Lane> for ListedRooms {}

/// Who listed a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRoom {
    /// The room.
    pub room_id: String,
    /// Who listed it.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}
value!(ListedRoom, 1);

/// The room that replaces another, from before it is made, so that an upgrade can be taken up again where it broke off.
/// Owner: rooms/upgrade.
pub struct RoomUpgrades;
impl Table for RoomUpgrades {
    const NUMBER: u16 = 223;
    const NAME: &'static str = "room_upgrade";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    /// The room that is replaced.
    type Key = RoomKey;
    type Value = RoomUpgrade;
}

/// An upgrade that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomUpgrade {
    /// The room that replaces it. It may not exist, when making it failed.
    pub new_room_id: String,
    /// The version of the new room.
    pub version: String,
    /// Who upgrades.
    pub by: String,
    /// When it began, in milliseconds since 1970.
    pub at_ms: u64,
}
value!(RoomUpgrade, 1);
