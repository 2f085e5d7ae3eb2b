//! Keys as bytes that sort as the values do.
//!
//! A key is a tuple of small types. Numbers have a fixed width, big-endian; text is escaped
//! and ended. No separator is used that content could hold, so a part's encoding is never the
//! beginning of another value's encoding of the same type: a prefix of parts is a prefix of bytes.
//! This module must never depend on what a table means.

mod fixed;
mod text;
mod tuple;

pub use fixed::{Down, FixedKey};

use hearth_protocol::LanePos;

use crate::error::CodecError;

/// A value that can be a key, or a part of one. Encoded bytes compare as the values do.
pub trait Key: Sized {
    /// The form of the bytes, for the schema snapshot.
    const LAYOUT: &'static str;

    /// The form of the bytes in words; tuples join their parts.
    #[must_use]
    fn layout() -> String {
        Self::LAYOUT.to_owned()
    }

    /// The position that is a part of this key, when there is one.
    #[must_use]
    fn position(&self) -> Option<LanePos> {
        None
    }

    /// Appends the bytes of this part.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads this part from the front of `input` and moves `input` behind it.
    ///
    /// # Errors
    /// [`CodecError`] when the bytes are not an encoding of this type.
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError>;
}

/// Decodes a whole key; nothing may be left over.
///
/// # Errors
/// [`CodecError`] as of the parts, and [`CodecError::TrailingBytes`].
pub fn decode_whole<K: Key>(mut input: &[u8]) -> Result<K, CodecError> {
    let key = K::decode(&mut input)?;
    if input.is_empty() { Ok(key) } else { Err(CodecError::TrailingBytes(input.len())) }
}

/// The least byte string that is greater than every string starting with `prefix`;
/// `None` when there is none.
#[must_use]
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests;
