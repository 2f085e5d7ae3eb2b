//! The index of people: who is found by a word of their name, and by whom. Owner: people.
//!
//! A word is the folded beginning of a name's part; names of a person are indexed in every room that the person is in,
//! and once more for everybody when one of these rooms is open to all.

use hearth_protocol::{RoomKey, UserKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// The words of those who are in a room. Owner: people.
pub struct RoomPeople;
impl Table for RoomPeople {
    const NUMBER: u16 = 233;
    const NAME: &'static str = "room_people";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Room, word, user.
    type Key = (RoomKey, String, UserKey);
    type Value = ();
}
impl ScanBy<RoomKey> for RoomPeople {}

/// By which words somebody is found in a room, so that they can be taken out again. Owner: people.
pub struct RoomPersons;
impl Table for RoomPersons {
    const NUMBER: u16 = 234;
    const NAME: &'static str = "room_person";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, UserKey);
    type Value = RoomPerson;
}

/// Somebody in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomPerson {
    pub words: Vec<String>,
}
value!(RoomPerson, 1);

/// Rooms whose people everybody finds. Owner: people.
pub struct PeopleRooms;
impl Table for PeopleRooms {
    const NUMBER: u16 = 235;
    const NAME: &'static str = "people_room";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    type Key = RoomKey;
    type Value = PeopleRoom;
}

/// What the index knows of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleRoom {
    /// Everybody may join it or read it.
    pub is_open: bool,
}
value!(PeopleRoom, 1);

/// The open rooms that a user is in. Owner: people.
pub struct OpenRooms;
impl Table for OpenRooms {
    const NUMBER: u16 = 120;
    const NAME: &'static str = "open_room";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByUser;
    type Key = (UserKey, RoomKey);
    type Value = ();
}
impl ScanBy<UserKey> for OpenRooms {}

/// Everybody who is or was in a room here. Owner: people.
pub struct People;
impl Table for People {
    const NUMBER: u16 = 121;
    const NAME: &'static str = "person";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    type Key = UserKey;
    type Value = Person;
}

/// What is shown of a person, and by which words everybody finds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub user_id: String,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    /// None while they are in no open room.
    pub open_words: Vec<String>,
}
value!(Person, 1);

/// The words of those who are in an open room. Owner: people.
pub struct PeopleWords;
impl Table for PeopleWords {
    const NUMBER: u16 = 122;
    const NAME: &'static str = "people_word";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByKey;
    /// Shelf, word, user.
    type Key = (u8, String, UserKey);
    type Value = ();
}
impl ScanBy<u8> for PeopleWords {}

/// The words of all users of this server. Owner: users.
pub struct LocalNames;
impl Table for LocalNames {
    const NUMBER: u16 = 123;
    const NAME: &'static str = "local_name";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByKey;
    /// Shelf, word, user.
    type Key = (u8, String, UserKey);
    type Value = ();
}
impl ScanBy<u8> for LocalNames {}
