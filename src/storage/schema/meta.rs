//! The tables of storage itself: lane heads, facts about the database, the outbox between lanes,
//! and the chunks of large values. Owner: storage.

use hearth_protocol::{Lane, LanePos, UnixMs};
use serde::{Deserialize, Serialize};

use crate::{
    codec::Key,
    error::CodecError,
    table::{Place, Placed, Profile, ScanBy, Table},
    value,
    value::Value,
};

/// The epoch and the last given position of each lane. Written by every commit that gives positions.
pub struct LaneHeads;
impl Table for LaneHeads {
    const NUMBER: u16 = 1;
    const NAME: &'static str = "lane_heads";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByLane;
    type Key = Lane;
    type Value = LaneHead;
}
impl ScanBy<()> for LaneHeads {}

/// How far a lane is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneHead {
    /// The last given position; a new epoch sets it to that epoch's position 0.
    pub pos: LanePos,
    /// The epoch of the present owner.
    pub epoch: u32,
}
value!(LaneHead, 1);

/// The one row of facts about the database.
pub struct About;
impl Table for About {
    const NUMBER: u16 = 2;
    const NAME: &'static str = "about";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByLane;
    type Key = ();
    type Value = Database;
}

/// What a database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Number of the schema its rows have.
    pub schema: u32,
    /// The server whose data it holds.
    pub server_name: String,
    /// Drawn when it was made; a restored backup keeps it.
    pub database_id: [u8; 16],
    /// Number of lanes, fixed when it was made.
    pub lanes: u16,
    /// When it was made.
    pub created_at: UnixMs,
}
value!(Database, 1);

/// Effects of commits on other lanes than their own, until they are applied there.
/// Followed by the outbox worker of the lane.
pub struct Outbox;
impl Table for Outbox {
    const NUMBER: u16 = 3;
    const NAME: &'static str = "outbox";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, LanePos);
    type Value = OutboxRow;
}
impl ScanBy<Lane> for Outbox {}

/// Effects of one commit, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// How many further rows of the same commit follow.
    pub rest: u32,
    /// The effects; those of one target stand together.
    pub effects: Vec<Effect>,
}
value!(OutboxRow, 1);

/// A blind write on another lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The lane it is for.
    pub target: Lane,
    /// Place of the table's profile in [`Profile::ALL`].
    pub profile: u8,
    /// The whole key, table number included.
    pub key: Vec<u8>,
    /// The whole value; `None` deletes.
    pub value: Option<Vec<u8>>,
    /// The position of the target lane that is filled in.
    pub stamp: Option<EffectStamp>,
}

/// Where an effect takes a new position of its target lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectStamp {
    /// Effects of one commit with the same slot get the same position.
    pub slot: u32,
    /// In the key, else in the value.
    pub in_key: bool,
    /// Offset of the eight bytes.
    pub at: u32,
}

/// The position up to which a target lane has applied the outbox of a source lane.
pub struct Applied;
impl Table for Applied {
    const NUMBER: u16 = 4;
    const NAME: &'static str = "applied";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, Lane);
    type Value = LanePos;
}
impl ScanBy<Lane> for Applied {}

/// The chunks of values that are too large for one row.
pub struct Chunks;
impl Table for Chunks {
    const NUMBER: u16 = 5;
    const NAME: &'static str = "chunks";
    const PROFILE: Profile = Profile::Blob;
    const PLACE: Place = Place::ByKey;
    type Key = ChunkKey;
    type Value = Chunk;
}

/// The whole key of the row that the chunk belongs to, and its number. It lies in that row's lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkKey {
    /// The row's key, table number included.
    pub row: Vec<u8>,
    /// From 0.
    pub index: u8,
}

impl Key for ChunkKey {
    const LAYOUT: &'static str = "bytes, u8";
    fn encode(&self, out: &mut Vec<u8>) {
        Key::encode(&self.row, out);
        Key::encode(&self.index, out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        Ok(ChunkKey { row: Key::decode(input)?, index: Key::decode(input)? })
    }
}
impl Placed for ChunkKey {
    fn lane(&self, lanes: u16) -> Lane {
        self.row.lane(lanes)
    }
}

/// A run of a large value's bytes, without a version: the whole has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk(pub Vec<u8>);

impl Value for Chunk {
    const VERSION: u8 = 1;
    fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Ok(Chunk(bytes.to_vec()))
    }
}
