//! Setting state. [Client-Server API, "Sending events to a room"]
//!
//! [Client-Server API, "Sending events to a room"]: https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room

use axum::extract::State;
use hearth_homeserver::rooms::{DelayedEvents, NewEvent, Rooms};
use ruma::api::client::state::send_state_event::v3::Request;
use serde_json::json;

use crate::{
    api_error::ApiError,
    caller::ActiveGuestCaller,
    client::delayed_events::put_off,
    delay::Delay,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::JsonText,
};

/// `PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}`
pub async fn set_room_state_with_key(
    State(rooms): State<Rooms>,
    State(limits): State<RateLimits>,
    State(delayed): State<DelayedEvents>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Delay(delay): Delay,
    Ruma(body): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    limits.check_user(Operation::Message, &user)?;
    if rooms.is_joined(&user, &body.room_id).await? {
        limits.check_room(Operation::Room, &user, &body.room_id)?;
    }
    let event = NewEvent {
        kind: body.event_type.to_string(),
        state_key: Some(body.state_key),
        content: body.body.into_json(),
        redacts: None,
        txn_id: None,
        timestamp: user.chosen_time(body.timestamp.map(|time| time.get().into())),
    };
    if let Some(delay_ms) = delay {
        return put_off(&delayed, &user, &body.room_id, event, delay_ms).await;
    }
    let event_id = rooms.send(&user, &body.room_id, event).await?;
    JsonText::of(&json!({ "event_id": event_id }))
}
