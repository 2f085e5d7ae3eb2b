//! Tables as types: number, name, access pattern, place, key and value.
//!
//! A table's number begins each of its keys, so it is never used again for another table.

use hearth_protocol::{EventKey, Lane, LanePos, RoomKey, UserKey};
use ruma::{OwnedDeviceId, OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedServerName, OwnedUserId};
use sha2::{Digest, Sha256};

use crate::{
    codec::{Key, decode_whole},
    error::CodecError,
    value::Value,
};

/// How the rows of a table are read and written; one column family each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// Single rows by their whole key.
    Point,
    /// Ranges of small rows.
    Scan,
    /// Written at one end, read and deleted at the other.
    Queue,
    /// Large values, written once.
    Blob,
    /// Few rows, read often.
    Small,
}

impl Profile {
    /// Every profile, in the order of their numbers.
    pub const ALL: [Profile; 5] = [Profile::Point, Profile::Scan, Profile::Queue, Profile::Blob, Profile::Small];

    /// The name of its column family.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Point => "point",
            Profile::Scan => "scan",
            Profile::Queue => "queue",
            Profile::Blob => "blob",
            Profile::Small => "small",
        }
    }
}

/// By what the rows of a table are spread over the lanes: the first part of their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The key begins with a room.
    ByRoom,
    /// The key begins with a user.
    ByUser,
    /// The key begins with a server or another destination outside.
    ByDestination,
    /// The key's own first part, hashed.
    ByKey,
    /// The key begins with the lane itself.
    ByLane,
}

/// A table: its rows are `(Key, Value)` in the order of the keys.
pub trait Table: 'static {
    /// Begins each key; unique, never used again.
    const NUMBER: u16;
    /// For messages and the schema snapshot; snake case, unique.
    const NAME: &'static str;
    /// How it is used.
    const PROFILE: Profile;
    /// By what it is spread; says what [`Placed`] does with the first part of the key.
    const PLACE: Place;
    /// Whether values above [`VALUE_BYTES_MAX`](crate::VALUE_BYTES_MAX) are borne, in chunks. Each
    /// write then costs some operations more.
    const LARGE: bool = false;
    /// The key.
    type Key: Key + Placed;
    /// The value.
    type Value: Value;
}

/// Says that a table may be scanned by this prefix, the first part or parts of its key.
pub trait ScanBy<Prefix: Key + Placed>: Table {}

/// Something with a place in a lane.
pub trait Placed {
    /// The lane among `lanes`.
    fn lane(&self, lanes: u16) -> Lane;
}

/// The lane of anything, by the SHA-256 of its encoding.
fn lane_by_hash<K: Key>(key: &K, lanes: u16) -> Lane {
    if lanes == 1 {
        return Lane(0);
    }
    let mut bytes = Vec::with_capacity(64);
    key.encode(&mut bytes);
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    lane_by_leading_bits(&digest, lanes)
}

fn lane_by_leading_bits(hash: &[u8], lanes: u16) -> Lane {
    let mut head = [0; 16];
    let width = hash.len().min(head.len());
    head[..width].copy_from_slice(&hash[..width]);
    Lane::of(&head, lanes)
}

macro_rules! placed_by_hash {
    ($($type:ty),*) => {$(
        impl Placed for $type {
            fn lane(&self, lanes: u16) -> Lane {
                lane_by_hash(self, lanes)
            }
        }
    )*};
}
placed_by_hash!(
    u8,
    u16,
    u32,
    u64,
    i64,
    bool,
    String,
    Vec<u8>,
    OwnedServerName,
    OwnedRoomAliasId,
    OwnedDeviceId,
    [u8; 16],
    [u8; 20],
    [u8; 32]
);

macro_rules! placed_by_leading_bits {
    ($($type:ty),*) => {$(
        impl Placed for $type {
            fn lane(&self, lanes: u16) -> Lane {
                lane_by_leading_bits(&self.0, lanes)
            }
        }
    )*};
}
placed_by_leading_bits!(RoomKey, UserKey, EventKey);

macro_rules! placed_by_key {
    ($($type:ty as $key:ident),*) => {$(
        impl Placed for $type {
            fn lane(&self, lanes: u16) -> Lane {
                if lanes == 1 { Lane(0) } else { $key::of(self).lane(lanes) }
            }
        }
    )*};
}
placed_by_key!(OwnedRoomId as RoomKey, OwnedUserId as UserKey, OwnedEventId as EventKey);

impl Placed for Lane {
    fn lane(&self, _lanes: u16) -> Lane {
        *self
    }
}

/// A table of one row, and scans of a whole table, lie in the first lane.
impl Placed for () {
    fn lane(&self, _lanes: u16) -> Lane {
        Lane(0)
    }
}

macro_rules! placed_by_first_part {
    ($(($first:ident $(, $rest:ident)*))*) => {$(
        impl<$first: Placed $(, $rest)*> Placed for ($first, $($rest,)*) {
            fn lane(&self, lanes: u16) -> Lane {
                self.0.lane(lanes)
            }
        }
    )*};
}
placed_by_first_part! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) }

/// A key whose last part is a position, so that a commit can fill it in.
pub trait PosKey: Key + Placed {
    /// What stands before the position.
    type Before: Key + Placed;
}
impl<A: Key + Placed> PosKey for (A, LanePos) {
    type Before = A;
}
impl<A: Key + Placed, B: Key> PosKey for (A, B, LanePos) {
    type Before = (A, B);
}
impl<A: Key + Placed, B: Key, C: Key> PosKey for (A, B, C, LanePos) {
    type Before = (A, B, C);
}
impl<A: Key + Placed, B: Key, C: Key, D: Key> PosKey for (A, B, C, D, LanePos) {
    type Before = (A, B, C, D);
}

/// What the registry knows of a table.
#[derive(Clone)]
pub struct TableInfo {
    /// [`Table::NUMBER`].
    pub number: u16,
    /// [`Table::NAME`].
    pub name: &'static str,
    /// [`Table::PROFILE`].
    pub profile: Profile,
    /// [`Table::PLACE`].
    pub place: Place,
    /// [`Table::LARGE`].
    pub large: bool,
    /// The form of the key.
    pub key_layout: String,
    /// The type of the value.
    pub value_layout: String,
    /// The version of the value.
    pub value_version: u8,
    /// Decodes a row: key without the table's number, whole value, number of lanes.
    pub check_row: CheckRow,
}

/// Decodes a row of one table: key without the table's number, whole value, number of lanes.
pub type CheckRow = fn(&[u8], &[u8], u16) -> Result<CheckedRow, CodecError>;

/// A row that decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedRow {
    /// Its lane.
    pub lane: Lane,
    /// The position in its key.
    pub pos: Option<LanePos>,
}

impl TableInfo {
    /// The facts of table `T`.
    #[must_use]
    pub fn of<T: Table>() -> Self {
        TableInfo {
            number: T::NUMBER,
            name: T::NAME,
            profile: T::PROFILE,
            place: T::PLACE,
            large: T::LARGE,
            key_layout: T::Key::layout(),
            value_layout: T::Value::layout(),
            value_version: T::Value::VERSION,
            check_row: |key, value, lanes| {
                let key: T::Key = decode_whole(key)?;
                T::Value::decode(value)?;
                Ok(CheckedRow { lane: key.lane(lanes), pos: key.position() })
            },
        }
    }
}

/// Appends the bytes under which `key` of table `T` lies in the engine.
pub(crate) fn encode_address<T: Table>(key: &impl Key, out: &mut Vec<u8>) {
    out.extend_from_slice(&T::NUMBER.to_be_bytes());
    key.encode(out);
}
