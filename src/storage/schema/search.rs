//! The index of words: which events of a room hold a word. Owner: search.
//!
//! All rows of a room lie in the room's lane, beside the log that they follow. A word is in its folded form
//! (lower case, without accents), at most 160 bytes; a field is 0 for the body of a message, 1 for the name of a room,
//! 2 for its topic.

use hearth_protocol::{EventNum, RoomKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// One row for each word of each event, in the order of the events' own times. Owner: search.
pub struct SearchPostings;
impl Table for SearchPostings {
    const NUMBER: u16 = 230;
    const NAME: &'static str = "search_posting";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByRoom;
    /// Room, field, word, the event's `origin_server_ts`, event.
    type Key = (RoomKey, u8, String, u64, EventNum);
    type Value = Posting;
}
impl ScanBy<(RoomKey, u8, String)> for SearchPostings {}

/// What ranks an event among those with the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// How often the event has the word; 255 stands for more, too.
    pub times: u8,
    /// How many words the event has.
    pub words: u16,
}
value!(Posting, 1);

/// One row for each word of a room: whether to look for it at all, and from when on. Owner: search.
pub struct SearchWords;
impl Table for SearchWords {
    const NUMBER: u16 = 231;
    const NAME: &'static str = "search_word";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByRoom;
    /// Room, field, word.
    type Key = (RoomKey, u8, String);
    type Value = SearchWord;
}

/// What is known of a word in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchWord {
    /// How many events have it.
    pub events: u32,
    /// No event that has it is newer, in milliseconds since 1970.
    pub newest_ms: u64,
}
value!(SearchWord, 1);

/// What is in the index of an event, so that it can be taken out again. Owner: search.
pub struct SearchedEvents;
impl Table for SearchedEvents {
    const NUMBER: u16 = 232;
    const NAME: &'static str = "searched_event";
    const PROFILE: Profile = Profile::Blob;
    const PLACE: Place = Place::ByRoom;
    type Key = (RoomKey, EventNum);
    type Value = SearchedEvent;
}

/// An event in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchedEvent {
    /// It is found by these words.
    Found { field: u8, at_ms: u64, words: Vec<String> },
    /// It is an edit: its words are found at this event.
    EditOf(EventNum),
}
value!(SearchedEvent, 1);
