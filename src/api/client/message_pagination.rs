//! Pages of history. [Client-Server API, "Getting events for a room"]
//!
//! [Client-Server API, "Getting events for a room"]: https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room

use axum::extract::{Query, State};
use hearth_homeserver::{
    flows::{Flows, MessagesRequest},
    rooms::Direction,
};
use ruma::{
    api::{
        Direction as Dir,
        client::message::get_message_events::v3::{Request, Response},
    },
    serde::Raw,
};

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    raw_filter::RawFilter,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/rooms/{roomId}/messages`
pub async fn get_room_events(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Query(filter): Query<RawFilter>,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    let request = MessagesRequest {
        from: body.from.as_deref(),
        to: body.to.as_deref(),
        direction: match body.dir {
            Dir::Forward => Direction::Forward,
            Dir::Backward => Direction::Backward,
        },
        limit: usize::try_from(u64::from(body.limit)).unwrap_or(usize::MAX),
        filter: &filter.compile()?,
    };
    let page = flows.load_messages(&user, &body.room_id, &request).await?;
    let mut response = Response::new();
    response.start = page.start;
    response.end = page.end;
    response.chunk = page.chunk.into_iter().map(Raw::from_json).collect();
    response.state = page.state.into_iter().map(Raw::from_json).collect();
    Ok(Reply(response))
}
