//! Which events of the room state an event has to cite.

use ruma::UserId;
use serde_json::value::RawValue;

use super::{
    Membership, Rejection,
    membership::{authoriser_of, membership_of},
    third_party::ThirdPartyInvite,
};
use crate::version::RoomRules;

/// The types and state keys of the state that authorises an event (server-server API, "Auth events
/// selection"), each once. Empty for a create event.
///
/// # Errors
///
/// When a member event lacks what the selection depends on.
pub fn auth_pairs(
    rules: &RoomRules,
    sender: &UserId,
    kind: &str,
    state_key: Option<&str>,
    content: &RawValue,
) -> Result<Vec<(String, String)>, Rejection> {
    let rules = &rules.ruma.authorization;
    if kind == "m.room.create" {
        return Ok(Vec::new());
    }
    let mut pairs = Vec::with_capacity(6);
    let mut add = |kind: &str, state_key: &str| {
        if !pairs.iter().any(|(k, s): &(String, String)| k == kind && s == state_key) {
            pairs.push((kind.to_owned(), state_key.to_owned()));
        }
    };
    add("m.room.power_levels", "");
    add("m.room.member", sender.as_str());
    if !rules.room_create_event_id_as_room_id {
        add("m.room.create", "");
    }
    if kind == "m.room.member" {
        add("m.room.member", state_key.ok_or(Rejection::MemberStateKey)?);
        let membership = membership_of(content)?;
        if matches!(membership, Membership::Join | Membership::Invite | Membership::Knock) {
            add("m.room.join_rules", "");
        }
        if membership == Membership::Invite
            && let Some(invite) = ThirdPartyInvite::of(content)?
        {
            add("m.room.third_party_invite", invite.token()?);
        }
        if membership == Membership::Join
            && rules.restricted_join_rule
            && let Some(user) = authoriser_of(content)?
        {
            add("m.room.member", user.as_str());
        }
    }
    Ok(pairs)
}
