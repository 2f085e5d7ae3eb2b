//! An event with what stands around it. [Client-Server API, "Event Context"]
//!
//! [Client-Server API, "Event Context"]: https://spec.matrix.org/v1.19/client-server-api/#event-context

use axum::extract::State;
use hearth_homeserver::flows::{ContextRequest, Flows};
use ruma::{
    api::client::context::get_context::v3::{Request, Response},
    serde::Raw,
};

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    query::Query,
    raw_filter::RawFilter,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/rooms/{roomId}/context/{eventId}`
pub async fn get_event_context(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Query(filter): Query<RawFilter>,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let request = ContextRequest {
        limit: usize::try_from(u64::from(body.limit)).unwrap_or(usize::MAX),
        filter: &filter.compile()?,
    };
    let context = flows.load_context(&user, &body.room_id, &body.event_id, &request).await?;
    let mut response = Response::new();
    response.start = Some(context.start);
    response.end = Some(context.end);
    response.event = Some(Raw::from_json(context.event));
    response.events_before = context.events_before.into_iter().map(Raw::from_json).collect();
    response.events_after = context.events_after.into_iter().map(Raw::from_json).collect();
    response.state = context.state.into_iter().map(Raw::from_json).collect();
    Ok(Reply(response))
}
