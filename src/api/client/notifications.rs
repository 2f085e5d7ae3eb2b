//! What a user was notified of. [Client-Server API, "Listing notifications"]
//!
//! [Client-Server API, "Listing notifications"]: https://spec.matrix.org/v1.19/client-server-api/#listing-notifications

use axum::extract::State;
use hearth_homeserver::sync::{NotificationsRequest, Sync};
use ruma::{
    MilliSecondsSinceUnixEpoch, UInt,
    api::client::push::get_notifications::v3::{Notification, Request, Response},
    serde::Raw,
};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// How many a page has when the client names no number.
const LIMIT_DEFAULT: usize = 20;

/// `GET /_matrix/client/v3/notifications`
pub async fn get_notifications(
    State(sync): State<Sync>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let from = body.from.as_deref().map(|from| sync.parse_token(from)).transpose();
    let from = from.map_err(|_| ApiError::invalid_param("`from` is not a token of this server."))?;
    let limit = body.limit.map_or(LIMIT_DEFAULT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let only_highlights = body.only.as_deref() == Some("highlight");
    let request = NotificationsRequest { from, limit, only_highlights };
    let page = sync.list_notifications(&user, &request).await?;
    let found = page.notifications.into_iter().map(|found| {
        let sent = MilliSecondsSinceUnixEpoch(UInt::new_saturating(found.at_ms));
        Notification::new(found.actions, Raw::from_json(found.event), found.read, found.room_id, sent)
    });
    let mut response = Response::new(found.collect());
    response.next_token = page.next.map(|next| next.to_string());
    Ok(Reply(response))
}
