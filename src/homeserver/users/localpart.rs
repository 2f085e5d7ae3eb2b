//! The names of this server's users: which may be registered, and which may be logged in to.
//!
//! Appendices, "User Identifiers". Historical ids (capitals and other printable ASCII) exist and may log in,
//! but nobody registers a new one.

use ruma::{OwnedUserId, ServerName, UserId};
use thiserror::Error;

/// The longest user id, in bytes (Appendices, "Common Identifier Format").
pub const USER_ID_BYTES_MAX: usize = 255;

/// Why a name may not be registered (`M_INVALID_USERNAME`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadUsername {
    /// It has no letter.
    #[error("a user name must not be empty")]
    Empty,
    /// With `@`, `:` and the server's name it would be longer than 255 bytes.
    #[error("the user id would be longer than 255 bytes")]
    TooLong,
    /// It has other characters than `a-z`, `0-9` and `._=-/+`.
    #[error("a user name may hold only a-z, 0-9 and . _ = - / +")]
    Characters,
}

/// The id that an account of this name gets; capitals become small letters.
pub(super) fn build_user_id(name: &str, server: &ServerName) -> Result<OwnedUserId, BadUsername> {
    let localpart = name.to_ascii_lowercase();
    if localpart.is_empty() {
        return Err(BadUsername::Empty);
    }
    if !localpart.bytes().all(is_localpart_byte) {
        return Err(BadUsername::Characters);
    }
    let id = format!("@{localpart}:{server}");
    if id.len() > USER_ID_BYTES_MAX {
        return Err(BadUsername::TooLong);
    }
    UserId::parse(&id).map_err(|_| BadUsername::Characters)
}

const fn is_localpart_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'=' | b'-' | b'/' | b'+')
}

/// The ids that somebody who logs in as `name` may mean, the likeliest first: as written, then in small letters.
///
/// `name` is a localpart or a whole user id (C-S API, "Matrix User ID" identifier). An id of another server means
/// nobody here.
pub(super) fn build_login_candidates(name: &str, server: &ServerName) -> Vec<OwnedUserId> {
    let localpart = match name.strip_prefix('@').map(|id| id.split_once(':')) {
        Some(Some((localpart, of))) if of == server.as_str() => localpart,
        Some(_) => return Vec::new(),
        None => name,
    };
    let lower = localpart.to_ascii_lowercase();
    let mut names = vec![localpart];
    if lower != localpart {
        names.push(&lower);
    }
    names
        .into_iter()
        .filter(|name| name.len() + server.as_str().len() + 2 <= USER_ID_BYTES_MAX)
        .filter_map(|name| UserId::parse(format!("@{name}:{server}")).ok())
        .collect()
}

#[cfg(test)]
#[path = "localpart_tests.rs"]
mod tests;
