//! Keys that stand for Matrix ids, and the small numbers that stand for them inside a room.
//!
//! A key is a hash, so that keys have one width and spread evenly over the lanes.

use std::fmt;

use ruma::{EventId, RoomId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The first 16 bytes of the SHA-256 of `id`.
fn key_of(id: &str) -> [u8; 16] {
    let digest = Sha256::digest(id.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

macro_rules! hashed_key {
    ($(#[$doc:meta])* $name:ident, $id:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The key of this id.
            #[must_use]
            pub fn of(id: &$id) -> Self {
                Self(key_of(id.as_str()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), ":"))?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

hashed_key! {
    /// Stands for a room: the first 16 bytes of the SHA-256 of its id.
    RoomKey, RoomId
}
hashed_key! {
    /// Stands for a user: the first 16 bytes of the SHA-256 of its id.
    UserKey, UserId
}
hashed_key! {
    /// Stands for an event: the first 16 bytes of the SHA-256 of its id.
    EventKey, EventId
}

macro_rules! dense_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub struct $name(pub u32);
    };
}

dense_number! {
    /// An event inside its room; dense, in order of first sight, also for events only cited yet.
    EventNum
}
dense_number! {
    /// A pair of event type and state key inside its room; dense.
    StateKeyNum
}
dense_number! {
    /// A set of state (a parent and the changes, or all of it) inside its room; dense.
    StateSetNum
}

/// A fixed virtual shard: the unit of write ownership, of stream position and of notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lane(pub u16);

impl Lane {
    /// The lane of a key, out of `lanes`: by the key's leading bits, so that a lane is a range of keys.
    #[must_use]
    pub fn of(key: &[u8; 16], lanes: u16) -> Self {
        let leading = u32::from(u16::from_be_bytes([key[0], key[1]]));
        let lane = (leading * u32::from(lanes)) >> 16;
        // Below `lanes`, since `leading` is below 2^16.
        Self(u16::try_from(lane).unwrap_or(0))
    }
}

/// A position in a lane: the epoch of the lane's ownership, and a count within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
// Of fixed width in stored values, so that the commit can fill it in there.
#[serde(from = "[u8; 8]", into = "[u8; 8]")]
pub struct LanePos(pub u64);

impl From<[u8; 8]> for LanePos {
    fn from(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

impl From<LanePos> for [u8; 8] {
    fn from(pos: LanePos) -> Self {
        pos.0.to_be_bytes()
    }
}

impl LanePos {
    /// The position `n` of `epoch`.
    #[must_use]
    pub const fn new(epoch: u32, n: u32) -> Self {
        Self(((epoch as u64) << 32) | n as u64)
    }

    /// The epoch of ownership in which this position was given.
    #[must_use]
    pub const fn epoch(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The count within the epoch.
    #[must_use]
    pub const fn n(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }

    /// The next position; after the last of an epoch comes the first of the next epoch.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
#[path = "ids_tests.rs"]
mod tests;
