//! Listening to a room without being in it. [Client-Server API, "Room Previews"]
//!
//! [Client-Server API, "Room Previews"]: https://spec.matrix.org/v1.19/client-server-api/#room-previews

use axum::extract::State;
use hearth_homeserver::sync::Sync;

use super::old_sync::{parse_from, wait_ms};
use crate::{
    api_error::ApiError, beyond_ruma::EventsRequest, caller::GuestCaller, extract::Ruma, reply::JsonText,
    waiting::Waiting,
};

/// `GET /_matrix/client/v3/events?room_id=..`, to which `get_events` hands what names a room: their path is one.
pub async fn peek_events(
    State(sync): State<Sync>,
    GuestCaller(user): GuestCaller,
    waiting: Waiting,
    Ruma(body): Ruma<EventsRequest>,
) -> Result<JsonText, ApiError> {
    let room = body.room_id.ok_or_else(|| ApiError::missing_param("`room_id` is missing."))?;
    let from = parse_from(&sync, body.from.as_deref())?;
    let news = Box::pin(sync.peek_events(&user, &room, from, wait_ms(body.timeout), waiting.stop()));
    JsonText::of(&waiting.for_news(&user, news).await?)
}
