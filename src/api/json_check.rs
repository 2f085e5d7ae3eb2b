//! Looks through a whole JSON text before anything is parsed into a type.
//!
//! ruma keeps event contents as unparsed text, and `serde_json` skips over such text without a
//! depth limit and without looking at escapes. So every body is walked once here, without
//! allocating: what passes is JSON, is not nested too deep, and holds only real Unicode.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep arrays and objects may be nested in a request body.
pub const JSON_DEPTH_MAX: usize = 64;

/// Why a text is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// It is not JSON (or not UTF-8, or holds half of a surrogate pair).
    NotJson,
    /// It is JSON, but nested deeper than [`JSON_DEPTH_MAX`].
    TooDeep,
}

/// Walks the text once.
///
/// # Errors
/// [`JsonFault`] says what is wrong with it.
pub fn check_json(text: &[u8]) -> Result<(), JsonFault> {
    let mut input = serde_json::Deserializer::from_slice(text);
    let walked = Walk { depth_left: JSON_DEPTH_MAX }.deserialize(&mut input).and_then(|()| input.end());
    walked.map_err(|error| if error.is_data() { JsonFault::TooDeep } else { JsonFault::NotJson })
}

/// One value at some depth; its own errors are of serde's `Data` kind, the parser's are not.
#[derive(Clone, Copy)]
struct Walk {
    depth_left: usize,
}

impl Walk {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper::<A::Error>()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.deeper::<A::Error>()?;
        while entries.next_key_seed(Key)?.is_some() {
            entries.next_value_seed(inner)?;
        }
        Ok(())
    }
}

/// An object's key: read, so that its escapes are looked at, and dropped.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_str(Self)
    }
}

impl Visitor<'_> for Key {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object's key")
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "json_check_tests.rs"]
mod tests;
