//! Setting state. [Client-Server API, "Sending events to a room"]
//!
//! [Client-Server API, "Sending events to a room"]: https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room

use axum::extract::State;
use hearth_homeserver::rooms::{NewEvent, Rooms};
use ruma::api::client::state::send_state_event::v3::{Request, Response};

use crate::{
    caller::ActiveGuestCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}`
pub async fn set_room_state_with_key(
    State(rooms): State<Rooms>,
    State(limits): State<RateLimits>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_user(Operation::Message, &user)?;
    let event = NewEvent {
        kind: body.event_type.to_string(),
        state_key: Some(body.state_key),
        content: body.body.into_json(),
        redacts: None,
        txn_id: None,
        timestamp: None,
    };
    let event_id = rooms.send(&user, &body.room_id, event).await?;
    Ok(Reply(Response::new(event_id)))
}
