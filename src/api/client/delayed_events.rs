//! Events that wait to be sent (MSC4140). They are put off by `room_send` and `room_state`.

use axum::extract::State;
use hearth_homeserver::{
    rooms::{DelayAction, DelayedEvents, NewEvent},
    users::LocalUser,
};
use ruma::{
    RoomId,
    api::{
        IncomingRequest,
        auth_scheme::{AccessToken, NoAuthentication},
        client::session::logout::v3::Response as Empty,
        error::{DeserializationError, Error},
        metadata,
    },
};
use serde_json::{Value, json, value::RawValue};

use crate::{api_error::ApiError, caller::Caller, extract::Ruma, reply::JsonText};

/// `GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events`
pub async fn get_delayed_events(
    State(events): State<DelayedEvents>,
    Caller(user): Caller,
    Ruma(_): Ruma<ListRequest>,
) -> Result<JsonText, ApiError> {
    let waiting = events.list(&user).await.map_err(ApiError::internal)?;
    let waiting: Result<Vec<Value>, ApiError> = waiting
        .into_iter()
        .map(|(id, row)| {
            let content: Box<RawValue> = RawValue::from_string(row.content).map_err(ApiError::internal)?;
            let mut event = json!({
                "delay_id": id,
                "room_id": row.room_id,
                "type": row.kind,
                "delay": row.delay_ms,
                "running_since": row.since_ms,
                "content": content,
            });
            if let Some(state_key) = row.state_key {
                event["state_key"] = state_key.into();
            }
            Ok(event)
        })
        .collect();
    JsonText::of(&json!({ "delayed_events": waiting? }))
}

/// `POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}/{action}`
///
/// Without a token: who knows the id may, so that a service can do it for a client that is gone.
pub async fn update_delayed_event(
    State(events): State<DelayedEvents>,
    Ruma(body): Ruma<UpdateRequest>,
) -> Result<JsonText, ApiError> {
    let action = match body.action.as_str() {
        "cancel" => DelayAction::Cancel,
        "restart" => DelayAction::Restart,
        "send" => DelayAction::Send,
        _ => return Err(ApiError::not_found("Unknown action.")),
    };
    events.update(&body.delay_id, action).await?;
    JsonText::of(&json!({}))
}

/// Puts an event off; the answer has its id.
pub(super) async fn put_off(
    events: &DelayedEvents,
    user: &LocalUser,
    room: &RoomId,
    event: NewEvent,
    delay_ms: u64,
) -> Result<JsonText, ApiError> {
    let id = events.schedule(user, room, event, delay_ms).await?;
    JsonText::of(&json!({ "delay_id": id }))
}

/// Asks for the user's events that wait.
#[derive(Debug)]
pub struct ListRequest;

metadata! {
    @for ListRequest,
    method: GET,
    rate_limited: false,
    authentication: AccessToken,
    path: "/_matrix/client/unstable/org.matrix.msc4140/delayed_events",
}

impl IncomingRequest for ListRequest {
    type EndpointError = Error;
    type OutgoingResponse = Empty;

    fn try_from_http_request_inner(_: http::Request<&[u8]>, _: &[&str]) -> Result<Self, DeserializationError> {
        Ok(Self)
    }
}

/// Does something with an event that waits.
#[derive(Debug)]
pub struct UpdateRequest {
    delay_id: String,
    action: String,
}

metadata! {
    @for UpdateRequest,
    method: POST,
    rate_limited: true,
    authentication: NoAuthentication,
    path: "/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delay_id}/{action}",
}

impl IncomingRequest for UpdateRequest {
    type EndpointError = Error;
    type OutgoingResponse = Empty;

    fn try_from_http_request_inner(_: http::Request<&[u8]>, path: &[&str]) -> Result<Self, DeserializationError> {
        let [delay_id, action] = [0, 1].map(|n| path.get(n).copied().unwrap_or_default().to_owned());
        Ok(Self { delay_id, action })
    }
}
