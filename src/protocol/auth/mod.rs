//! The authorisation rules of all room versions (server-server API, "Authorisation rules", and each
//! room version's own list).
//!
//! Two functions decide: [`check_independent`] looks at an event and the events that it cites, and
//! [`check_against`] at an event and a room state. Which state matters is said by [`auth_pairs`].
//! A refusal is a [`Rejection`], which names the rule.
//!
//! Nothing here may do IO, keep state between calls (but for the parsed copies in [`AuthCache`]), or
//! know what an event is checked *for*: whether a refusal rejects an event or softly fails it is
//! decided in `evaluate.rs`. Signatures are checked before, in `incoming.rs`; that includes the
//! signature that `join_authorised_via_users_server` asks for.

mod bridge;
mod cache;
mod check;
mod create;
mod independent;
mod levels;
mod member;
mod membership;
mod power_change;
mod rejection;
mod selection;
mod third_party;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use self::bridge::RuledEvent;
pub use self::{
    cache::AuthCache,
    check::{StateLookup, check_against, check_cached},
    independent::{EventLookup, check_independent, create_event_id},
    levels::LevelField,
    membership::{JoinRule, Membership, join_rule_of, membership_of},
    rejection::Rejection,
    selection::auth_pairs,
};
pub(crate) use self::{
    create::CreateFacts,
    levels::{Levels, default_field},
};
