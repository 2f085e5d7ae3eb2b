//! The rules that depend on a room state, in the order of the specification.

use std::sync::Arc;

use ruma::{OwnedUserId, UserId};

use super::{
    AuthCache, LevelField, Membership, Rejection, member::check_member, power_change::check_power_change, view::View,
};
use crate::{Event, version::RoomRules};

/// Answers which event of a room state has a type and a state key.
pub type StateLookup<'a> = dyn Fn(&str, &str) -> Option<Arc<Event>> + 'a;

/// Checks an event against a room state: every authorisation rule but those of
/// [`check_independent`](super::check_independent).
///
/// # Errors
///
/// The first rule that refuses the event.
pub fn check_against(rules: &RoomRules, event: &Event, state: &StateLookup<'_>) -> Result<(), Rejection> {
    check_cached(rules, event, state, &AuthCache::new())
}

/// [`check_against`], with a room's parsed create event and power levels kept from call to call.
///
/// # Errors
///
/// The first rule that refuses the event.
pub fn check_cached(
    rules: &RoomRules,
    event: &Event,
    state: &StateLookup<'_>,
    cache: &AuthCache,
) -> Result<(), Rejection> {
    if event.kind == "m.room.create" {
        return Ok(());
    }
    let owned_state = rules.owned_state;
    let rules = &rules.ruma.authorization;
    let view = View::new(rules, state, cache)?;

    if !view.create.federate()? && view.create.sender.server_name() != event.sender.server_name() {
        return Err(Rejection::NotFederated);
    }
    if rules.special_case_room_aliases && event.kind == "m.room.aliases" {
        let own = event.state_key.as_deref() == Some(event.sender.server_name().as_str());
        return if own { Ok(()) } else { Err(Rejection::AliasesStateKey) };
    }
    if event.kind == "m.room.member" {
        return check_member(event, &view);
    }
    if view.membership(&event.sender)? != Membership::Join {
        return Err(Rejection::SenderNotJoined);
    }
    check_power(event, &view, owned_state)
}

/// The rules for events of users who are in the room: what their power level allows.
fn check_power(event: &Event, view: &View<'_>, owned_state: bool) -> Result<(), Rejection> {
    let power = view.power()?;
    let own = power.require_user(&event.sender)?;

    if event.kind == "m.room.third_party_invite" {
        return if own >= power.require_field(LevelField::Invite)? {
            Ok(())
        } else {
            Err(Rejection::ThirdPartyInvitePower)
        };
    }
    if own < power.require_event(&event.kind, event.is_state())? {
        return Err(Rejection::EventPower);
    }
    if let Some(key) = event.state_key.as_deref().filter(|key| key.starts_with('@') && *key != event.sender.as_str()) {
        let owner = if owned_state { Some(owner_of(key).ok_or(Rejection::StateKeyOwnerMalformed)?) } else { None };
        let is_allowed = match owner {
            Some(owner) => owner == event.sender || own > power.require_user(&owner)?,
            None => false,
        };
        if !is_allowed {
            return Err(Rejection::StateKeyOfAnother);
        }
    }
    if event.kind == "m.room.power_levels" {
        return check_power_change(event, view, &power, own);
    }
    if view.rules.special_case_room_redaction && event.kind == "m.room.redaction" {
        let target = event.redacts.as_ref().and_then(|id| id.server_name());
        let same_server = target.is_some() && target == event.id.server_name();
        return if own >= power.require_field(LevelField::Redact)? || same_server {
            Ok(())
        } else {
            Err(Rejection::RedactionPower)
        };
    }
    Ok(())
}

/// Whose state a key names that begins with `@` (MSC3757): a user id alone, or one before an underscore. A server name
/// has no underscore, so the id ends at the first one after the colon.
fn owner_of(state_key: &str) -> Option<OwnedUserId> {
    let colon = state_key.find(':')?;
    let end = state_key[colon..].find('_').map_or(state_key.len(), |at| colon + at);
    UserId::parse(&state_key[..end]).ok()
}
