//! The positions that clients hold: opaque text, one position for each lane, and the counters of what lives in memory only.
//!
//! Nothing else compares or advances the positions of tokens. A token is a plain value without a secret:
//! whoever makes one up only learns what a sync from that place would tell them anyway.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearth_protocol::{Lane, LanePos, RoomKey};
use hearth_storage::{StorageError, Store};

use crate::rooms::{HistoryPos, RoomView};
use crate::users::PresencePos;

/// The beginning of a token of the stream; the digit is the format.
const SYNC_PREFIX: &str = "s1_";
/// The beginning of a token of a room's history.
const HISTORY_PREFIX: &str = "t1_";
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Rooms that a token remembers as shown with somebody typing.
const TYPING_ROOMS_MAX: usize = 8;

/// Text that is no token, or one of a database with other lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this server")]
pub struct InvalidToken;

/// A position in every lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positions(Arc<[LanePos]>);

impl Positions {
    /// Before everything, in so many lanes.
    pub fn start(lanes: u16) -> Self {
        Self::uniform(LanePos(0), lanes)
    }

    /// The same position in so many lanes: what a position of one lane means once that lane was split.
    fn uniform(pos: LanePos, lanes: u16) -> Self {
        Self(vec![pos; usize::from(lanes)].into())
    }

    /// A position for each lane, in the order of the lanes.
    pub fn new(lanes: Vec<LanePos>) -> Self {
        Self(lanes.into())
    }

    /// What has been applied of each lane, all effects on other lanes included.
    pub fn applied(store: &Store) -> Self {
        Self((0..store.lanes()).map(|lane| store.applied_mark(Lane(lane))).collect())
    }

    /// The position in a lane.
    pub fn of(&self, lane: Lane) -> LanePos {
        self.0.get(usize::from(lane.0)).copied().unwrap_or_default()
    }

    /// The lanes with their positions.
    pub fn iter(&self) -> impl Iterator<Item = (Lane, LanePos)> + '_ {
        (0..).map(Lane).zip(self.0.iter().copied())
    }

    /// Whether every lane is at least where `other` is.
    pub fn reaches(&self, other: &Self) -> bool {
        self.iter().all(|(lane, pos)| pos >= other.of(lane))
    }

    /// The later position of each lane.
    #[must_use]
    pub fn later(&self, other: &Self) -> Self {
        Self(self.iter().map(|(lane, pos)| pos.max(other.of(lane))).collect())
    }
}

/// The position right before another one.
pub fn before(pos: LanePos) -> LanePos {
    LanePos(pos.0.saturating_sub(1))
}

/// Whether more than `n` positions may lie between two.
pub fn is_far(from: LanePos, to: LanePos, n: usize) -> bool {
    let near = u32::try_from(n).unwrap_or(u32::MAX);
    from.epoch() != to.epoch() || to.n().saturating_sub(from.n()) > near
}

/// The counters of what is not stored: they mean something only within one life of their owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ephemeral {
    /// Which life of the counter of typing.
    pub epoch: u32,
    /// The count of changes of who is typing.
    pub typing: u64,
    /// The place in the order of changes of presence.
    pub presence: PresencePos,
    /// Rooms that the client shows with somebody typing (the first bytes of their keys), to be cleared after a restart.
    pub typing_rooms: Vec<u32>,
}

impl Ephemeral {
    /// Notes that the client is shown somebody typing in a room, or nobody any more.
    pub fn note_typing(&mut self, room: RoomKey, is_shown: bool) {
        let mark = typing_mark(room);
        self.typing_rooms.retain(|known| *known != mark);
        if is_shown {
            self.typing_rooms.push(mark);
            let extra = self.typing_rooms.len().saturating_sub(TYPING_ROOMS_MAX);
            self.typing_rooms.drain(..extra);
        }
    }

    /// Whether the client may be showing somebody typing in a room.
    pub fn shows_typing(&self, room: RoomKey) -> bool {
        self.typing_rooms.contains(&typing_mark(room))
    }
}

fn typing_mark(room: RoomKey) -> u32 {
    let [a, b, c, d, ..] = room.0;
    u32::from_be_bytes([a, b, c, d])
}

/// Where a client is in the stream: `next_batch` and `since` of `/sync`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncToken {
    /// What it has of each lane.
    pub lanes: Positions,
    /// What it has of typing and presence.
    pub ephemeral: Ephemeral,
}

impl SyncToken {
    /// Reads a token for a database of so many lanes. How far it is ahead or behind does not matter here.
    ///
    /// # Errors
    /// [`InvalidToken`] for anything that this server cannot have written.
    pub fn parse(text: &str, lanes: u16) -> Result<Self, InvalidToken> {
        let bytes = decode(text, SYNC_PREFIX)?;
        let mut input = Varints(&bytes);
        let count = u16::try_from(input.next()?).map_err(|_| InvalidToken)?;
        if count != 1 && count != lanes {
            return Err(InvalidToken);
        }
        let mut positions = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            positions.push(LanePos::new(input.next_u32()?, input.next_u32()?));
        }
        let lanes = if count == lanes { Positions::new(positions) } else { Positions::uniform(positions[0], lanes) };
        let (epoch, typing) = (input.next_u32()?, input.next()?);
        let presence = PresencePos { epoch: input.next()?, count: input.next()? };
        let shown = usize::try_from(input.next()?).map_err(|_| InvalidToken)?;
        if shown > TYPING_ROOMS_MAX {
            return Err(InvalidToken);
        }
        let typing_rooms = (0..shown).map(|_| input.next_u32()).collect::<Result<_, _>>()?;
        input.end()?;
        Ok(Self { lanes, ephemeral: Ephemeral { epoch, typing, presence, typing_rooms } })
    }

    /// What has been applied by now, as the token of who is to be told what comes after it.
    #[must_use]
    pub fn applied(store: &Store) -> Self {
        Self { lanes: Positions::applied(store), ephemeral: Ephemeral::default() }
    }

    /// Where in a room's history this token stands: what `/messages` means by a `since` token as `from`.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn history_pos(&self, store: &Store, view: &RoomView) -> Result<HistoryPos, StorageError> {
        view.history_pos_at(self.lanes.of(store.lane_of(&view.room.key.0))).await
    }
}

impl fmt::Display for SyncToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(8 + 8 * self.lanes.0.len());
        put(&mut out, self.lanes.0.len() as u64);
        for pos in self.lanes.0.iter() {
            put(&mut out, pos.epoch().into());
            put(&mut out, pos.n().into());
        }
        put(&mut out, self.ephemeral.epoch.into());
        put(&mut out, self.ephemeral.typing);
        put(&mut out, self.ephemeral.presence.epoch);
        put(&mut out, self.ephemeral.presence.count);
        put(&mut out, self.ephemeral.typing_rooms.len() as u64);
        for room in &self.ephemeral.typing_rooms {
            put(&mut out, (*room).into());
        }
        write!(f, "{SYNC_PREFIX}{}", URL_SAFE_NO_PAD.encode(out))
    }
}

/// A place in a room's history or in the stream: what `/messages`, `/context` and `/members?at=` take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageToken {
    /// `prev_batch`, `start`, `end`.
    History(HistoryPos),
    /// `next_batch` of a sync.
    Stream(SyncToken),
}

impl PageToken {
    /// Reads a token of either kind.
    ///
    /// # Errors
    /// [`InvalidToken`] for anything that this server cannot have written.
    pub fn parse(text: &str, lanes: u16) -> Result<Self, InvalidToken> {
        if text.starts_with(SYNC_PREFIX) {
            return SyncToken::parse(text, lanes).map(Self::Stream);
        }
        let bytes = decode(text, HISTORY_PREFIX)?;
        let mut input = Varints(&bytes);
        let pos = HistoryPos { depth: input.next()?, order: unzigzag(input.next()?) };
        input.end()?;
        Ok(Self::History(pos))
    }

    /// The place in the room's history.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn history_pos(&self, store: &Store, view: &RoomView) -> Result<HistoryPos, StorageError> {
        match self {
            Self::History(pos) => Ok(*pos),
            Self::Stream(token) => token.history_pos(store, view).await,
        }
    }
}

/// A place in a room's history, as clients write it.
pub fn history_token(pos: HistoryPos) -> String {
    let mut out = Vec::with_capacity(12);
    put(&mut out, pos.depth);
    put(&mut out, zigzag(pos.order));
    format!("{HISTORY_PREFIX}{}", URL_SAFE_NO_PAD.encode(out))
}

fn decode(text: &str, prefix: &str) -> Result<Vec<u8>, InvalidToken> {
    let body = text.strip_prefix(prefix).filter(|body| body.len() <= TOKEN_BYTES_MAX).ok_or(InvalidToken)?;
    URL_SAFE_NO_PAD.decode(body).map_err(|_| InvalidToken)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Appends a number, seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

/// Reads what [`put`] wrote.
struct Varints<'a>(&'a [u8]);

impl Varints<'_> {
    fn next(&mut self) -> Result<u64, InvalidToken> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(InvalidToken)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits).ok_or(InvalidToken)?;
            value |= shifted;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(InvalidToken)
    }

    fn next_u32(&mut self) -> Result<u32, InvalidToken> {
        u32::try_from(self.next()?).map_err(|_| InvalidToken)
    }

    fn end(&self) -> Result<(), InvalidToken> {
        if self.0.is_empty() { Ok(()) } else { Err(InvalidToken) }
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
