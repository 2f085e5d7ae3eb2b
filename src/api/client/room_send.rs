//! Sending messages. [Client-Server API, "Sending events to a room"]
//!
//! [Client-Server API, "Sending events to a room"]: https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room

use axum::extract::State;
use hearth_homeserver::{
    flows::Flows,
    rooms::{DelayedEvents, NewEvent, Rooms},
};
use ruma::{OwnedEventId, api::client::message::send_message_event::v3::Request};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::{
    api_error::ApiError,
    caller::ActiveGuestCaller,
    client::delayed_events::put_off,
    delay::Delay,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::JsonText,
};

/// `PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}`
#[expect(clippy::too_many_arguments, reason = "each argument names what the handler may touch")]
pub async fn send_message(
    State(flows): State<Flows>,
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
    let (kind, content) = (body.event_type.to_string(), body.body.into_json());
    let redacts = if kind == "m.room.redaction" { Some(target_of(&content)?) } else { None };
    let timestamp = user.chosen_time(body.timestamp.map(|time| time.get().into()));
    let event = NewEvent { kind, state_key: None, content, redacts, txn_id: Some(body.txn_id.to_string()), timestamp };
    if let Some(delay_ms) = delay {
        return put_off(&delayed, &user, &body.room_id, event, delay_ms).await;
    }
    let event_id = flows.send(&user, &body.room_id, event).await?;
    JsonText::of(&json!({ "event_id": event_id }))
}

/// What a redaction that is sent like any event redacts.
fn target_of(content: &RawValue) -> Result<OwnedEventId, ApiError> {
    #[derive(Deserialize)]
    struct Content {
        redacts: OwnedEventId,
    }
    let content: Content =
        serde_json::from_str(content.get()).map_err(|error| ApiError::bad_json(error.to_string()))?;
    Ok(content.redacts)
}
