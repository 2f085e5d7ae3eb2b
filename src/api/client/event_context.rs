//! An event with what stands around it. [Client-Server API, "Event Context"]
//!
//! [Client-Server API, "Event Context"]: https://spec.matrix.org/v1.19/client-server-api/#event-context

use axum::extract::State;
use hearth_homeserver::flows::{ContextRequest, Flows};
use ruma::api::client::context::get_context::v3::Request;

use crate::{
    api_error::ApiError, caller::GuestCaller, extract::Ruma, query::Query, raw_filter::RawFilter, reply::JsonText,
};

/// `GET /_matrix/client/v3/rooms/{roomId}/context/{eventId}`
///
/// Written by the domain's own type: ruma's leaves out empty lists, which clients walk through without asking.
pub async fn get_event_context(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Query(filter): Query<RawFilter>,
    Ruma(body): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    let request = ContextRequest {
        limit: usize::try_from(u64::from(body.limit)).unwrap_or(usize::MAX),
        filter: &filter.compile()?,
    };
    JsonText::of(&flows.load_context(&user, &body.room_id, &body.event_id, &request).await?)
}
