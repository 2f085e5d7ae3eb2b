//! Reading an event, the state and the members of a room.
//! [Client-Server API, "Getting events for a room"]
//!
//! [Client-Server API, "Getting events for a room"]: https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room

use axum::extract::State;
use hearth_homeserver::flows::{Flows, StateForm};
use ruma::{
    api::client::{
        membership::{get_member_events, joined_members},
        room::get_room_event,
        state::{
            get_state_event_for_key::v3::{self as state_for_key, StateEventFormat},
            get_state_events,
        },
    },
    events::room::member::MembershipState,
    serde::Raw,
};
use serde_json::{Map, Value, json};

use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::Ruma,
    reply::{JsonText, Reply, Result},
};

/// `GET /_matrix/client/v3/rooms/{roomId}/event/{eventId}`
pub async fn get_one_room_event(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<get_room_event::v3::Request>,
) -> Result<get_room_event::v3::Response> {
    let event = flows.load_event(&user, &body.room_id, &body.event_id).await?;
    Ok(Reply(get_room_event::v3::Response::new(Raw::from_json(event))))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}`
pub async fn get_room_state_with_key(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<state_for_key::Request>,
) -> Result<state_for_key::Response> {
    let form = match body.format {
        StateEventFormat::Event => StateForm::Event,
        _ => StateForm::Content,
    };
    let kind = body.event_type.to_string();
    let state = flows.load_state(&user, &body.room_id, (&kind, &body.state_key), form).await?;
    let state = state.ok_or_else(|| ApiError::not_found("The room has no such state."))?;
    Ok(Reply(state_for_key::Response::new(state)))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/state`
pub async fn get_room_state(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<get_state_events::v3::Request>,
) -> Result<get_state_events::v3::Response> {
    let state = flows.list_state(&user, &body.room_id).await?;
    let state = state.into_iter().map(Raw::from_json).collect();
    Ok(Reply(get_state_events::v3::Response::new(state)))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/members`
pub async fn get_members_by_room(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<get_member_events::v3::Request>,
) -> Result<get_member_events::v3::Response> {
    let (is, is_not) = (body.membership.as_ref(), body.not_membership.as_ref());
    // Both at once mean either: a member passes by the one or by the other.
    let wanted = |membership: &str| match (is, is_not) {
        (None, None) => true,
        (is, is_not) => {
            is.is_some_and(|is| is.as_str() == membership)
                || is_not.is_some_and(|is_not: &MembershipState| is_not.as_str() != membership)
        }
    };
    let members = flows.list_members(&user, &body.room_id, body.at.as_deref(), wanted).await?;
    let members = members.into_iter().map(Raw::from_json).collect();
    Ok(Reply(get_member_events::v3::Response::new(members)))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/joined_members`
pub async fn get_joined_members_by_room(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<joined_members::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    let members = flows.list_joined_members(&user, &body.room_id).await?;
    // With both fields, always: clients look for them, and ruma's type leaves out what is not set.
    let joined = members.into_iter().map(|member| {
        let profile = json!({ "display_name": member.display_name, "avatar_url": member.avatar_url });
        (member.user_id.to_string(), profile)
    });
    JsonText::of(&json!({ "joined": joined.collect::<Map<String, Value>>() }))
}
