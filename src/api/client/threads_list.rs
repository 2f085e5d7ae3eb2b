//! The threads of a room. [Client-Server API, "Querying threads in a room"]
//!
//! [Client-Server API, "Querying threads in a room"]: https://spec.matrix.org/v1.19/client-server-api/#querying-threads-in-a-room

use axum::extract::State;
use hearth_homeserver::flows::{Flows, ThreadsRequest};
use ruma::{
    api::client::threads::get_threads::v1::{IncludeThreads, Request, Response},
    serde::Raw,
};

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v1/rooms/{roomId}/threads`
pub async fn get_thread_roots(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let request = ThreadsRequest {
        from: body.from.as_deref(),
        limit: body.limit.map(|limit| usize::try_from(u64::from(limit)).unwrap_or(usize::MAX)),
        is_participated: body.include == IncludeThreads::Participated,
    };
    let page = flows.list_threads(&user, &body.room_id, &request).await?;
    let mut response = Response::new(page.chunk.into_iter().map(Raw::from_json).collect());
    response.next_batch = page.next_batch;
    Ok(Reply(response))
}
