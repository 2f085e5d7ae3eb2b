//! Keys of a fixed width: numbers, hashes, lanes and positions.

use hearth_protocol::{EventKey, EventNum, Lane, LanePos, RoomKey, StateKeyNum, StateSetNum, UnixMs, UserKey};

use super::Key;
use crate::error::CodecError;

/// A key whose encoding always has the same length.
pub trait FixedKey: Key {
    /// Length of the encoding in bytes.
    const WIDTH: usize;
}

fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], CodecError> {
    let (head, rest) = input.split_first_chunk::<N>().ok_or(CodecError::ShortKey)?;
    *input = rest;
    Ok(*head)
}

macro_rules! number_keys {
    ($($number:ty),*) => {$(
        impl Key for $number {
            const LAYOUT: &'static str = stringify!($number);
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
                Ok(<$number>::from_be_bytes(take(input)?))
            }
        }
        impl FixedKey for $number {
            const WIDTH: usize = size_of::<$number>();
        }
    )*};
}
number_keys!(u8, u16, u32, u64);

/// The sign bit of an `i64`, flipped so that negative numbers sort first.
const SIGN: u64 = 1 << 63;

impl Key for i64 {
    const LAYOUT: &'static str = "i64";
    fn encode(&self, out: &mut Vec<u8>) {
        (self.cast_unsigned() ^ SIGN).encode(out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        Ok((u64::decode(input)? ^ SIGN).cast_signed())
    }
}
impl FixedKey for i64 {
    const WIDTH: usize = 8;
}

impl Key for bool {
    const LAYOUT: &'static str = "bool";
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        match u8::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::BadText("bool")),
        }
    }
}
impl FixedKey for bool {
    const WIDTH: usize = 1;
}

macro_rules! bytes_keys {
    ($($width:literal),*) => {$(
        impl Key for [u8; $width] {
            const LAYOUT: &'static str = concat!("bytes", $width);
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self);
            }
            fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
                take(input)
            }
        }
        impl FixedKey for [u8; $width] {
            const WIDTH: usize = $width;
        }
    )*};
}
bytes_keys!(8, 16, 20, 32);

macro_rules! wrapped_keys {
    ($($name:ident($inner:ty) as $layout:literal),* $(,)?) => {$(
        impl Key for $name {
            const LAYOUT: &'static str = $layout;
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
            fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
                Ok($name(<$inner>::decode(input)?))
            }
        }
        impl FixedKey for $name {
            const WIDTH: usize = <$inner as FixedKey>::WIDTH;
        }
    )*};
}
wrapped_keys!(
    RoomKey([u8; 16]) as "room",
    UserKey([u8; 16]) as "user",
    EventKey([u8; 16]) as "event",
    EventNum(u32) as "event_num",
    StateKeyNum(u32) as "state_key_num",
    StateSetNum(u32) as "state_set_num",
    Lane(u16) as "lane",
    UnixMs(u64) as "unix_ms",
);

impl Key for LanePos {
    const LAYOUT: &'static str = "pos";
    fn position(&self) -> Option<LanePos> {
        Some(*self)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        Ok(LanePos(u64::decode(input)?))
    }
}
impl FixedKey for LanePos {
    const WIDTH: usize = 8;
}

/// A part that sorts the other way round: the greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Down<K>(pub K);

impl<K: Ord> PartialOrd for Down<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Ord> Ord for Down<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}

impl<K: FixedKey> Key for Down<K> {
    const LAYOUT: &'static str = "down";
    fn layout() -> String {
        format!("down {}", K::layout())
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        self.0.encode(out);
        for byte in &mut out[start..] {
            *byte = !*byte;
        }
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        let (head, rest) = input.split_at_checked(K::WIDTH).ok_or(CodecError::ShortKey)?;
        let upright: smallvec::SmallVec<[u8; 32]> = head.iter().map(|byte| !byte).collect();
        *input = rest;
        Ok(Down(K::decode(&mut upright.as_slice())?))
    }
}
impl<K: FixedKey> FixedKey for Down<K> {
    const WIDTH: usize = K::WIDTH;
}
