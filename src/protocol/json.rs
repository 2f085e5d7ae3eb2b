//! JSON from outside: its limits, and the canonical form that hashes and signatures cover.
//!
//! Everything that decides about an event reads it through one parser, so that no two places can
//! understand the same bytes differently. Of a key that stands twice, the last one counts, as in
//! `serde_json`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json_canonical::write_value;
use crate::json_parse::{Json, parse};
use crate::version::RoomRules;

/// The deepest nesting in the body of a client's request.
pub const CLIENT_JSON_DEPTH_MAX: usize = 64;

/// The deepest nesting of an event from another server; below the 128 at which `serde_json` refuses.
pub const EVENT_JSON_DEPTH_MAX: usize = 112;

/// The deepest nesting in the body of another server's request or answer: an event and what is around it.
pub const FEDERATION_JSON_DEPTH_MAX: usize = 120;

/// The largest integer of canonical JSON, 2^53−1; the smallest is its negative.
pub const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

/// Why bytes are refused as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadJson {
    /// Not JSON at all (`M_NOT_JSON`).
    #[error("not JSON: {0}")]
    Syntax(String),
    /// Nested deeper than the limit (`M_BAD_JSON`).
    #[error("JSON is nested more than {depth_max} levels deep")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// JSON, but with a number that canonical JSON does not have: a float, a negative zero, or an
    /// integer beyond ±(2^53−1) (`M_BAD_JSON`).
    #[error("not canonical JSON: the number {number}")]
    Number {
        /// The number as it was written, cut at 40 bytes.
        number: String,
    },
    /// JSON of another shape than asked for (`M_BAD_JSON`).
    #[error("JSON of the wrong form: {0}")]
    Shape(String),
}

/// Reads `bytes` as `T`, refusing what is nested deeper than `depth_max` before anything is built.
///
/// # Errors
/// [`BadJson::TooDeep`], [`BadJson::Syntax`], or [`BadJson::Shape`] when it is JSON but no `T`.
pub fn parse_limited<'de, T: Deserialize<'de>>(bytes: &'de [u8], depth_max: usize) -> Result<T, BadJson> {
    check_depth(bytes, depth_max)?;
    serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() { BadJson::Shape(error.to_string()) } else { BadJson::Syntax(error.to_string()) }
    })
}

/// Refuses what is nested deeper than `depth_max` objects and arrays; looks at nothing else.
///
/// # Errors
/// [`BadJson::TooDeep`].
pub fn check_depth(bytes: &[u8], depth_max: usize) -> Result<(), BadJson> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > depth_max {
                    return Err(BadJson::TooDeep { depth_max });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses JSON that an event of this room version could not hold, such as a float from version 6 on.
///
/// For content that comes from a client, before anything is done with it.
///
/// # Errors
/// [`BadJson::Number`] or [`BadJson::TooDeep`] (at [`CLIENT_JSON_DEPTH_MAX`]), or
/// [`BadJson::Shape`] when it is no object.
pub fn check_content(rules: &RoomRules, content: &RawValue) -> Result<(), BadJson> {
    let mut value = parse(content.get(), CLIENT_JSON_DEPTH_MAX)?;
    if !matches!(value, Json::Object(_)) {
        return Err(BadJson::Shape("content is no object".to_owned()));
    }
    value.settle_numbers(rules.strict_json)
}

/// The canonical form of `text`: the shortest, with sorted keys and safe integers only.
///
/// Spec: appendices, "Canonical JSON".
///
/// # Errors
/// Any [`BadJson`] but [`BadJson::Shape`]; the depth limit is [`FEDERATION_JSON_DEPTH_MAX`].
pub fn canonical_json(text: &str) -> Result<String, BadJson> {
    canonical(text, true)
}

/// The canonical form of `text` as room versions 1 to 5 know it, with any integer and any finite float.
///
/// Floats are written as Python's `repr` does, since the servers that made the hashes of those rooms are
/// written in it: `1e10` becomes `10000000000.0`.
///
/// # Errors
/// As [`canonical_json`]; [`BadJson::Number`] only for a float beyond all floats.
pub fn canonical_json_lenient(text: &str) -> Result<String, BadJson> {
    canonical(text, false)
}

fn canonical(text: &str, strict: bool) -> Result<String, BadJson> {
    let mut value = parse(text, FEDERATION_JSON_DEPTH_MAX)?;
    value.settle_numbers(strict)?;
    let mut out = String::with_capacity(text.len());
    write_value(&mut out, &value);
    Ok(out)
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
