//! Redactions. [Client-Server API, "Redactions"]
//!
//! [Client-Server API, "Redactions"]: https://spec.matrix.org/v1.19/client-server-api/#redactions

use axum::extract::State;
use hearth_homeserver::{
    flows::Flows,
    rooms::{NewEvent, Rooms},
};
use ruma::api::client::redact::redact_event::v3::{Request, Response};
use serde_json::{json, value::to_raw_value};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}`
pub async fn redact_event(
    State(flows): State<Flows>,
    State(rooms): State<Rooms>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_user(Operation::Message, &user)?;
    if rooms.is_joined(&user, &body.room_id).await? {
        limits.check_room(Operation::Room, &user, &body.room_id)?;
    }
    let content = body.reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let event = NewEvent {
        kind: "m.room.redaction".to_owned(),
        state_key: None,
        content: to_raw_value(&content).map_err(ApiError::internal)?,
        redacts: Some(body.event_id),
        txn_id: Some(body.txn_id.to_string()),
        timestamp: None,
    };
    let event_id = flows.send(&user, &body.room_id, event).await?;
    Ok(Reply(Response::new(event_id)))
}
