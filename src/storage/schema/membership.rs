//! A user's membership of a room: the one word that the tables of users and of rooms both store.

use serde::{Deserialize, Serialize};

/// A user's membership of a room; the numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Membership {
    /// Asked to join.
    Invite = 0,
    /// A member.
    Join = 1,
    /// Left, was kicked, or never was in.
    Leave = 2,
    /// May not join.
    Ban = 3,
    /// Has asked to be invited.
    Knock = 4,
}

impl Membership {
    /// As the specification writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Ban => "ban",
            Self::Knock => "knock",
        }
    }
}

/// A text that is no membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a membership")]
pub struct NoMembership;

impl std::str::FromStr for Membership {
    type Err = NoMembership;

    fn from_str(text: &str) -> Result<Self, NoMembership> {
        [Self::Invite, Self::Join, Self::Leave, Self::Ban, Self::Knock]
            .into_iter()
            .find(|membership| membership.as_str() == text)
            .ok_or(NoMembership)
    }
}
