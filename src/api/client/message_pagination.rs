//! Pages of history. [Client-Server API, "Getting events for a room"]
//!
//! [Client-Server API, "Getting events for a room"]: https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room

use axum::extract::State;
use hearth_homeserver::{
    flows::{Flows, MessagesPage, MessagesRequest},
    rooms::Direction,
};
use hearth_protocol::write_string;
use http::Method;
use ruma::api::{
    Direction as Dir, IncomingRequest, Metadata,
    client::message::get_message_events::v3::{Request, Response},
    error::DeserializationError,
};

use crate::{
    api_error::ApiError, caller::GuestCaller, extract::Ruma, query::Query, raw_filter::RawFilter, reply::JsonText,
};

/// The room for what stands around a page's events, in bytes.
const AROUND_BYTES: usize = 256;

/// `GET /_matrix/client/v3/rooms/{roomId}/messages`
pub async fn get_room_events(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Query(filter): Query<RawFilter>,
    Ruma(MaybeDirection(body)): Ruma<MaybeDirection>,
) -> Result<JsonText, ApiError> {
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
    write_page(&page)
}

/// The answer (ruma's `Response`), with the events copied once: they are most of it, and pages are what clients read most of.
fn write_page(page: &MessagesPage) -> Result<JsonText, ApiError> {
    let mut text = String::with_capacity(page.chunk.len() + AROUND_BYTES);
    text.push_str("{\"chunk\":");
    text.push_str(&page.chunk);
    if let Some(end) = &page.end {
        text.push_str(",\"end\":");
        write_string(&mut text, end);
    }
    text.push_str(",\"start\":");
    write_string(&mut text, &page.start);
    if !page.state.is_empty() {
        text.push_str(",\"state\":");
        text.push_str(&serde_json::to_string(&page.state).map_err(ApiError::internal)?);
    }
    text.push('}');
    Ok(JsonText::new(text))
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
    ) -> Result<Self, DeserializationError> {
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
