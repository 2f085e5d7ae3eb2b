//! Pages of history. [Client-Server API, "Getting events for a room"]
//!
//! [Client-Server API, "Getting events for a room"]: https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room

use axum::extract::State;
use hearth_homeserver::{
    flows::{Flows, MessagesRequest},
    rooms::Direction,
};
use http::Method;
use ruma::{
    api::{
        Direction as Dir, IncomingRequest, Metadata,
        client::message::get_message_events::v3::{Request, Response},
        error::DeserializationError,
    },
    serde::Raw,
};

use crate::{
    caller::GuestCaller,
    extract::Ruma,
    query::Query,
    raw_filter::RawFilter,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/rooms/{roomId}/messages`
pub async fn get_room_events(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Query(filter): Query<RawFilter>,
    Ruma(MaybeDirection(body)): Ruma<MaybeDirection>,
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

/// A request in which `dir` may be left out, as clients do and other servers allow: the history then goes forwards.
#[derive(Debug)]
pub struct MaybeDirection(Request);

impl Metadata for MaybeDirection {
    const METHOD: Method = Request::METHOD;
    const RATE_LIMITED: bool = Request::RATE_LIMITED;
    type Authentication = <Request as Metadata>::Authentication;
    type PathBuilder = <Request as Metadata>::PathBuilder;
    const PATH_BUILDER: Self::PathBuilder = Request::PATH_BUILDER;
}

impl IncomingRequest for MaybeDirection {
    type EndpointError = <Request as IncomingRequest>::EndpointError;
    type OutgoingResponse = Response;

    fn try_from_http_request_inner(
        mut request: http::Request<&[u8]>,
        path: &[&str],
    ) -> std::result::Result<Self, DeserializationError> {
        let query = request.uri().query().unwrap_or_default();
        if !query.split('&').any(|parameter| parameter.starts_with("dir=")) {
            // The path is not looked at any more: its variables are given beside.
            let with_direction = format!("/?dir=f&{query}");
            if let Ok(uri) = with_direction.parse() {
                *request.uri_mut() = uri;
            }
        }
        Request::try_from_http_request_inner(request, path).map(Self)
    }
}
