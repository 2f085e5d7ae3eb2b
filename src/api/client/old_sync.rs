//! The ways to ask for what is new from before there was `/sync`. [Client-Server API, deprecated operations]
//!
//! [Client-Server API, deprecated operations]: https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events

use axum::extract::State;
use hearth_homeserver::{
    Stop,
    flows::Flows,
    sync::{Sync, SyncToken, TIMEOUT_MS_MAX},
};
use ruma::UInt;

use super::peeking_events::peek_events;
use crate::{
    api_error::ApiError,
    beyond_ruma::{EventsRequest, InitialSyncRequest, OneEventRequest},
    caller::GuestCaller,
    extract::Ruma,
    reply::JsonText,
    waiting::Waiting,
};

/// How long `GET /events` waits when the request does not say, in milliseconds.
const TIMEOUT_MS_DEFAULT: u64 = 30_000;

/// `GET /_matrix/client/v3/events`
pub async fn get_events(
    State(sync): State<Sync>,
    GuestCaller(user): GuestCaller,
    waiting: Waiting,
    Ruma(body): Ruma<EventsRequest>,
) -> Result<JsonText, ApiError> {
    if body.room_id.is_some() {
        return peek_events(State(sync), GuestCaller(user), waiting, Ruma(body)).await;
    }
    let from = parse_from(&sync, body.from.as_deref())?;
    let news = Box::pin(sync.next_events(&user, from, wait_ms(body.timeout), waiting.stop()));
    JsonText::of(&waiting.for_news(&user, news).await?)
}

/// `GET /_matrix/client/v3/initialSync`
pub async fn initial_sync(
    State(sync): State<Sync>,
    State(stop): State<Stop>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<InitialSyncRequest>,
) -> Result<JsonText, ApiError> {
    let limit = body.limit.map(|limit| usize::try_from(u64::from(limit)).unwrap_or(usize::MAX));
    JsonText::of(&sync.load_initial(&user, limit, body.archived, &stop).await?)
}

/// `GET /_matrix/client/v3/events/{eventId}`
pub async fn get_one_event(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<OneEventRequest>,
) -> Result<JsonText, ApiError> {
    JsonText::of(&flows.find_event(&user, &body.event_id).await?)
}

/// The token to go on from; none for "from now on".
pub(super) fn parse_from(sync: &Sync, from: Option<&str>) -> Result<Option<SyncToken>, ApiError> {
    let from = from.filter(|from| !from.is_empty()).map(|from| sync.parse_token(from)).transpose();
    from.map_err(|_| ApiError::invalid_param("`from` is not a token of this server."))
}

/// How long to wait, in milliseconds.
pub(super) fn wait_ms(timeout: Option<UInt>) -> u64 {
    timeout.map_or(TIMEOUT_MS_DEFAULT, u64::from).min(TIMEOUT_MS_MAX)
}
