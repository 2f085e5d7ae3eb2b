//! The rules that depend on no room state: those for a create event, and those for the list of
//! auth events.

use std::sync::Arc;

use ruma::{EventId, OwnedEventId, OwnedUserId, RoomId, room_version_rules::AuthorizationRules};
use serde::{Deserialize, de::IgnoredAny};

use super::{Rejection, selection::auth_pairs};
use crate::{Event, version::RoomRules};

/// Answers an event by its id, and whether it was rejected.
pub type EventLookup<'a> = dyn Fn(&EventId) -> Option<(Arc<Event>, bool)> + 'a;

#[derive(Deserialize)]
struct VersionField {
    room_version: Option<String>,
}

#[derive(Deserialize)]
struct CreatorField {
    creator: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct AdditionalField {
    #[serde(default)]
    additional_creators: Vec<OwnedUserId>,
}

#[derive(Deserialize)]
struct RoomIdField {
    room_id: Option<IgnoredAny>,
}

/// Checks what can be checked without a room state: rules 1 and 2.
///
/// # Errors
///
/// The first rule that refuses the event.
pub fn check_independent(rules: &RoomRules, event: &Event, auth: &EventLookup<'_>) -> Result<(), Rejection> {
    if event.kind == "m.room.create" {
        return check_create(rules, event);
    }
    let expected = auth_pairs(rules, &event.sender, &event.kind, event.state_key.as_deref(), &event.content)?;
    let by_room_id = rules.ruma.authorization.room_create_event_id_as_room_id;
    if by_room_id {
        check_room_id(&event.room_id, auth)?;
    }
    let mut seen = vec![false; expected.len()];
    for id in &event.auth_events {
        let (cited, rejected) = auth(id).ok_or_else(|| Rejection::AuthEventUnknown(id.clone()))?;
        let position = expected
            .iter()
            .position(|(kind, state_key)| *kind == cited.kind && cited.state_key.as_ref() == Some(state_key));
        let Some(position) = position else {
            return Err(Rejection::AuthEventUnexpected(id.clone()));
        };
        if std::mem::replace(&mut seen[position], true) {
            return Err(Rejection::AuthEventDuplicate(id.clone()));
        }
        if rejected {
            return Err(Rejection::AuthEventRejected(id.clone()));
        }
        if cited.room_id != event.room_id {
            return Err(Rejection::AuthEventOfOtherRoom(id.clone()));
        }
    }
    let has_create = || expected.iter().zip(&seen).any(|((kind, _), seen)| *seen && kind == "m.room.create");
    if !by_room_id && !has_create() {
        return Err(Rejection::AuthEventsWithoutCreate);
    }
    Ok(())
}

/// The create event that a room id of version 12 or later stands for.
#[must_use]
pub fn create_event_id(room_id: &RoomId) -> Option<OwnedEventId> {
    EventId::parse(format!("${}", room_id.strip_sigil())).ok()
}

fn check_room_id(room_id: &RoomId, auth: &EventLookup<'_>) -> Result<(), Rejection> {
    let id = create_event_id(room_id).ok_or(Rejection::RoomIdNotACreateEvent)?;
    match auth(&id) {
        Some((create, false)) if create.kind == "m.room.create" => Ok(()),
        _ => Err(Rejection::RoomIdNotACreateEvent),
    }
}

fn check_create(rules: &RoomRules, event: &Event) -> Result<(), Rejection> {
    let auth = &rules.ruma.authorization;
    if !event.prev_events.is_empty() {
        return Err(Rejection::CreateHasPrevEvents);
    }
    check_create_room_id(auth, event)?;

    // The version decided which rules apply before this was called; here the two must agree.
    let named = serde_json::from_str::<VersionField>(event.content.get())
        .map_err(|_| Rejection::CreateRoomVersion)?
        .room_version;
    if named.as_deref().unwrap_or("1") != rules.version.as_str() {
        return Err(Rejection::CreateRoomVersion);
    }
    if !auth.use_room_create_sender
        && !serde_json::from_str::<CreatorField>(event.content.get()).is_ok_and(|field| field.creator.is_some())
    {
        return Err(Rejection::CreateWithoutCreator);
    }
    if auth.additional_room_creators
        && serde_json::from_str::<AdditionalField>(event.content.get()).map(|field| field.additional_creators).is_err()
    {
        return Err(Rejection::CreateAdditionalCreators);
    }
    Ok(())
}

fn check_create_room_id(auth: &AuthorizationRules, event: &Event) -> Result<(), Rejection> {
    if auth.room_create_event_id_as_room_id {
        // `Event` always holds the room's id; that the event itself has none shows in its bytes.
        return match serde_json::from_str::<RoomIdField>(event.json.get()) {
            Ok(RoomIdField { room_id: None }) => Ok(()),
            _ => Err(Rejection::CreateHasRoomId),
        };
    }
    if event.room_id.server_name() == Some(event.sender.server_name()) {
        Ok(())
    } else {
        Err(Rejection::CreateRoomIdDomain)
    }
}
