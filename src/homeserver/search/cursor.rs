//! Where a search goes on: the token of its next page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearth_protocol::{EventNum, RoomKey};
use serde::{Deserialize, Serialize};

/// Longest token that is looked at, in bytes.
const CURSOR_BYTES_MAX: usize = 1_000;

/// A place in the order of what is found: the newest first, in one millisecond by room, then the later event first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In milliseconds since 1970.
    pub at_ms: u64,
    pub room: RoomKey,
    pub event: EventNum,
}

impl Ord for Place {
    /// The greater one comes first.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |place: &Self| (place.at_ms, std::cmp::Reverse(place.room.0), place.event.0);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What results can be grouped by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Group {
    /// Only what is in this room.
    Room(String),
    /// Only what this user sent.
    Sender(String),
}

impl Group {
    /// The room's or the user's id.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Room(value) | Self::Sender(value) => value,
        }
    }
}

/// The next page of a search. Whoever makes one up gets nothing that they may not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What was shown lies before this place; for ranked results, where the best are looked for from.
    pub place: Place,
    /// How many ranked results were looked at; none where the order is by time.
    pub skip: Option<u32>,
    /// How many results there are altogether, as the first page said.
    pub count: u64,
    /// The group of which it is the next page.
    pub group: Option<Group>,
}

/// Not a token of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of a search")]
pub struct InvalidCursor;

type Fields = (u64, [u8; 16], u32, Option<u32>, u64, Option<Group>);

impl Cursor {
    /// As clients hold it.
    #[must_use]
    pub fn to_token(&self) -> String {
        let Place { at_ms, room, event } = self.place;
        let fields: Fields = (at_ms, room.0, event.0, self.skip, self.count, self.group.clone());
        // Numbers and strings are always JSON.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&fields).unwrap_or_default())
    }

    /// Reads what a client held.
    ///
    /// # Errors
    /// When it is no such token.
    pub fn parse(token: &str) -> Result<Self, InvalidCursor> {
        if token.len() > CURSOR_BYTES_MAX {
            return Err(InvalidCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidCursor)?;
        let fields: Fields = serde_json::from_slice(&bytes).map_err(|_| InvalidCursor)?;
        let (at_ms, room, event, skip, count, group) = fields;
        let place = Place { at_ms, room: RoomKey(room), event: EventNum(event) };
        Ok(Self { place, skip, count, group })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Group, Place};
    use hearth_protocol::{EventNum, RoomKey};

    #[test]
    fn a_token_comes_back_as_it_was() {
        let place = Place { at_ms: u64::MAX, room: RoomKey([255; 16]), event: EventNum(u32::MAX) };
        for group in [None, Some(Group::Room("!r".repeat(120))), Some(Group::Sender("@a:b".to_owned()))] {
            let cursor = Cursor { place, skip: Some(7), count: 9, group };
            assert_eq!(Cursor::parse(&cursor.to_token()), Ok(cursor));
        }
        for bad in ["", "x", "bnVsbA", &"A".repeat(100_000)] {
            assert!(Cursor::parse(bad).is_err(), "{bad}");
        }
    }
}
