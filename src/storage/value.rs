//! Values as versioned bytes: one byte of version, then the fields.
//!
//! A type whose form changes keeps its old form as its `previous`: what is read is upgraded step
//! by step, what is written is always the newest. No JSON is stored but an event's own bytes; such
//! text is a field of type `String` or `Box<str>`.

use hearth_protocol::{EventKey, EventNum, LanePos, RoomKey, StateKeyNum, StateSetNum, UnixMs, UserKey};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::CodecError;

/// The first byte of a row whose value lies in chunks; no type may have this version.
pub(crate) const CHUNKED_VERSION: u8 = u8::MAX;

/// A value that a table can hold.
pub trait Value: Sized {
    /// The version that is written, 1 to 250.
    const VERSION: u8;

    /// Appends the version byte and the fields.
    fn encode_into(&self, out: &mut Vec<u8>);

    /// Reads this version or an older one.
    ///
    /// # Errors
    /// [`CodecError`] when the bytes are of no known version or not of their version's form.
    fn decode(bytes: &[u8]) -> Result<Self, CodecError>;

    /// The version byte and the fields.
    #[must_use]
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// The type's name, for the schema snapshot.
    #[must_use]
    fn layout() -> String {
        short_type_name(std::any::type_name::<Self>())
    }
}

/// A value whose first field is a [`LanePos`], which the commit can fill in.
///
/// Promise: bytes 1 to 8 of the encoding are that position. A struct that derives `Serialize` and
/// has a `LanePos` as its first field keeps it.
pub trait StampedValue: Value {}

/// Implements [`Value`] for a type with serde: `value!(Type, VERSION)`, or
/// `value!(Type, VERSION, previous = OldType)` where `Type: From<OldType>` and `OldType: Value`.
#[macro_export]
macro_rules! value {
    ($type:ty, $version:literal) => {
        impl $crate::Value for $type {
            const VERSION: u8 = $version;
            fn encode_into(&self, out: &mut Vec<u8>) {
                $crate::encode_fields($version, self, out);
            }
            fn decode(bytes: &[u8]) -> Result<Self, $crate::CodecError> {
                match $crate::decode_fields($version, bytes)? {
                    Some(value) => Ok(value),
                    None => Err($crate::unknown_version($version, bytes)),
                }
            }
        }
    };
    ($type:ty, $version:literal, previous = $previous:ty) => {
        impl $crate::Value for $type {
            const VERSION: u8 = $version;
            fn encode_into(&self, out: &mut Vec<u8>) {
                $crate::encode_fields($version, self, out);
            }
            fn decode(bytes: &[u8]) -> Result<Self, $crate::CodecError> {
                const { assert!(<$previous as $crate::Value>::VERSION < $version) };
                match $crate::decode_fields($version, bytes)? {
                    Some(value) => Ok(value),
                    None => <$previous as $crate::Value>::decode(bytes).map(<$type>::from),
                }
            }
        }
    };
}

/// Appends `version` and the fields of `value`. For the macro [`value!`](macro@crate::value).
///
/// # Panics
/// When serde cannot write the type into bytes at all (a map of unknown length, raw JSON): a
/// property of the type, found by its first test.
pub fn encode_fields<T: Serialize>(version: u8, value: &T, out: &mut Vec<u8>) {
    out.push(version);
    let taken = std::mem::take(out);
    *out = postcard::to_extend(value, taken).expect("the type can be written as fields");
}

/// The value when `bytes` are of `version`; `None` when they are of another. For the macro
/// [`value!`](macro@crate::value).
pub fn decode_fields<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<Option<T>, CodecError> {
    match bytes.split_first() {
        Some((&found, fields)) if found == version => {
            let (value, rest) = postcard::take_from_bytes(fields).map_err(|e| CodecError::BadValue(e.to_string()))?;
            if rest.is_empty() { Ok(Some(value)) } else { Err(CodecError::TrailingBytes(rest.len())) }
        }
        _ => Ok(None),
    }
}

/// The error for bytes of a version that nobody knows. For the macro [`value!`](macro@crate::value).
#[must_use]
pub fn unknown_version(newest: u8, bytes: &[u8]) -> CodecError {
    CodecError::UnknownVersion { found: bytes.first().copied().unwrap_or(0), newest }
}

fn short_type_name(full: &str) -> String {
    let mut short = String::with_capacity(full.len());
    let mut word_start = 0;
    for letter in full.chars() {
        short.push(letter);
        if short.ends_with("::") {
            short.truncate(word_start);
        } else if !(letter.is_alphanumeric() || letter == '_' || letter == ':') {
            word_start = short.len();
        }
    }
    short
}

macro_rules! plain_values {
    ($($type:ty),* $(,)?) => {$( value!($type, 1); )*};
}
plain_values!(
    (),
    bool,
    u8,
    u16,
    u32,
    u64,
    i64,
    String,
    Box<str>,
    Vec<u8>,
    [u8; 16],
    [u8; 32],
    LanePos,
    UnixMs,
    EventNum,
    StateKeyNum,
    StateSetNum,
    RoomKey,
    UserKey,
    EventKey,
    Vec<EventNum>,
    Vec<u32>,
    Vec<String>,
);
impl StampedValue for LanePos {}

/// A number that commits add to or raise without reading it first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter(pub i64);

impl Value for Counter {
    const VERSION: u8 = 1;
    fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(Self::VERSION);
        out.extend_from_slice(&self.0.to_be_bytes());
    }
    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.split_first() {
            Some((&Self::VERSION, number)) => number
                .try_into()
                .map(|number| Counter(i64::from_be_bytes(number)))
                .map_err(|_| CodecError::BadValue("a counter has 8 bytes".to_owned())),
            _ => Err(unknown_version(Self::VERSION, bytes)),
        }
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
