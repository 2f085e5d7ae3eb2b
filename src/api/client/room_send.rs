//! Sending messages. [Client-Server API, "Sending events to a room"]
//!
//! [Client-Server API, "Sending events to a room"]: https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room

use axum::extract::State;
use hearth_homeserver::{flows::Flows, rooms::NewEvent};
use ruma::{
    OwnedEventId,
    api::client::message::send_message_event::v3::{Request, Response},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    api_error::ApiError,
    caller::ActiveGuestCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}`
pub async fn send_message(
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_user(Operation::Message, &user)?;
    let (kind, content) = (body.event_type.to_string(), body.body.into_json());
    let redacts = if kind == "m.room.redaction" { Some(target_of(&content)?) } else { None };
    let event =
        NewEvent { kind, state_key: None, content, redacts, txn_id: Some(body.txn_id.to_string()), timestamp: None };
    let event_id = flows.send(&user, &body.room_id, event).await?;
    Ok(Reply(Response::new(event_id)))
}

/// What a redaction that is sent like any event redacts.
fn target_of(content: &RawValue) -> std::result::Result<OwnedEventId, ApiError> {
    #[derive(Deserialize)]
    struct Content {
        redacts: OwnedEventId,
    }
    let content: Content =
        serde_json::from_str(content.get()).map_err(|error| ApiError::bad_json(error.to_string()))?;
    Ok(content.redacts)
}
