//! Listening to a room without being in it. [Client-Server API, "Room Previews"]
//!
//! [Client-Server API, "Room Previews"]: https://spec.matrix.org/v1.19/client-server-api/#room-previews

use axum::extract::State;
use hearth_homeserver::{Stop, sync::Sync};

use super::old_sync::{parse_from, wait_ms};
use crate::{api_error::ApiError, beyond_ruma::EventsRequest, caller::GuestCaller, extract::Ruma, reply::JsonText};

/// `GET /_matrix/client/v3/events?room_id=..`, to which `get_events` hands what names a room: their path is one.
pub async fn peek_events(
    State(sync): State<Sync>,
    State(stop): State<Stop>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<EventsRequest>,
) -> Result<JsonText, ApiError> {
    let room = body.room_id.ok_or_else(|| ApiError::missing_param("`room_id` is missing."))?;
    let from = parse_from(&sync, body.from.as_deref())?;
    JsonText::of(&sync.peek_events(&user, &room, from, wait_ms(body.timeout), &stop).await?)
}
