//! One room as it is now. [Client-Server API, "Room Previews"]
//!
//! [Client-Server API, "Room Previews"]: https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync

use axum::extract::State;
use hearth_homeserver::flows::Flows;
use ruma::{
    api::client::{
        peeking::get_current_state::v3::{PaginationChunk, Request, Response},
        room::Visibility,
    },
    serde::Raw,
};
use serde::Deserialize;

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    query::Query,
    reply::{Reply, Result},
};

/// What older versions of the specification have beside the room.
#[derive(Deserialize)]
pub struct Wanted {
    /// Messages at the most.
    limit: Option<u64>,
}

/// `GET /_matrix/client/v3/rooms/{roomId}/initialSync`
pub async fn room_initial_sync(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Query(wanted): Query<Wanted>,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let limit = wanted.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let now = flows.load_room_now(&user, &body.room_id, limit).await?;
    let mut messages = PaginationChunk::new(now.messages.into_iter().map(Raw::from_json).collect(), now.end);
    messages.start = now.start;
    let mut response = Response::new(body.room_id);
    response.membership = now.membership.map(|membership| membership.as_str().into());
    response.messages = Some(messages);
    response.visibility = Some(if now.is_listed { Visibility::Public } else { Visibility::Private });
    response.state = now.state.into_iter().map(Raw::from_json).collect();
    response.account_data = now.account_data.into_iter().map(Raw::from_json).collect();
    Ok(Reply(response))
}
