//! Membership and join rule, as the authorisation rules read them: one field each, any other
//! content left alone.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Rejection;
use crate::Event;

/// The `membership` of a member event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Membership {
    /// In the room.
    Join,
    /// Invited to it.
    Invite,
    /// Not in the room, also the membership of a user without a member event.
    Leave,
    /// Kept out of it.
    Ban,
    /// Asks to be let in (room version 7 and later).
    Knock,
    /// A word that the specification does not know.
    Unknown,
}

impl Membership {
    /// The membership that a word stands for.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "join" => Self::Join,
            "invite" => Self::Invite,
            "leave" => Self::Leave,
            "ban" => Self::Ban,
            "knock" => Self::Knock,
            _ => Self::Unknown,
        }
    }
}

/// The `join_rule` of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinRule {
    /// Anyone.
    Public,
    /// Who is invited.
    Invite,
    /// Who is invited, and one may ask (room version 7 and later).
    Knock,
    /// Who is in one of certain rooms (room version 8 and later).
    Restricted,
    /// Both (room version 10 and later).
    KnockRestricted,
    /// `private` or a word that the specification does not know: nobody new.
    Other,
}

impl JoinRule {
    /// The join rule that a word stands for.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "public" => Self::Public,
            "invite" => Self::Invite,
            "knock" => Self::Knock,
            "restricted" => Self::Restricted,
            "knock_restricted" => Self::KnockRestricted,
            _ => Self::Other,
        }
    }
}

#[derive(Deserialize)]
struct MembershipField<'a> {
    #[serde(borrow)]
    membership: Cow<'a, str>,
}

#[derive(Deserialize)]
struct JoinRuleField<'a> {
    #[serde(borrow)]
    join_rule: Cow<'a, str>,
}

/// Reads the membership from the content of a member event.
///
/// # Errors
///
/// [`Rejection::MemberWithoutMembership`] when there is none or it is no string.
pub fn membership_of(content: &RawValue) -> Result<Membership, Rejection> {
    serde_json::from_str::<MembershipField<'_>>(content.get())
        .map(|field| Membership::of(&field.membership))
        .map_err(|_| Rejection::MemberWithoutMembership)
}

/// Reads the join rule from a join rules event.
///
/// # Errors
///
/// [`Rejection::Malformed`] when there is none or it is no string.
pub fn join_rule_of(event: &Event) -> Result<JoinRule, Rejection> {
    serde_json::from_str::<JoinRuleField<'_>>(event.content.get())
        .map(|field| JoinRule::of(&field.join_rule))
        .map_err(|_| Rejection::Malformed("join_rule"))
}

/// The user who vouches for a restricted join, if the content names one. A text that is no user id names nobody: a
/// member who sends their content again may hold any text there, which no rule looks at then.
///
/// # Errors
///
/// [`Rejection::Malformed`] when it is no text.
pub(super) fn authoriser_of(content: &RawValue) -> Result<Option<ruma::OwnedUserId>, Rejection> {
    #[derive(Deserialize)]
    struct Field {
        join_authorised_via_users_server: Option<String>,
    }
    let Field { join_authorised_via_users_server: named } =
        serde_json::from_str(content.get()).map_err(|_| Rejection::Malformed("join_authorised_via_users_server"))?;
    Ok(named.and_then(|named| named.try_into().ok()))
}
