//! Requests of old operations for which ruma has no type, or one that asks for more than the specification.

use ruma::{
    OwnedEventId, OwnedRoomId, UInt,
    api::{
        IncomingRequest,
        auth_scheme::{AccessToken, NoAccessToken},
        client::peeking::get_current_state::v3::Response as Unused,
        error::{DeserializationError, Error},
    },
    exports::serde_html_form,
    metadata,
};
use serde::Deserialize;

/// `GET /events`, for all rooms of a user or for one room that it names.
#[derive(Debug, Deserialize)]
pub struct EventsRequest {
    /// The token to go on from.
    pub from: Option<String>,
    /// How long to wait, in milliseconds.
    pub timeout: Option<UInt>,
    /// The room to look into.
    pub room_id: Option<OwnedRoomId>,
}

metadata! {
    @for EventsRequest,

    method: GET,
    rate_limited: false,
    authentication: AccessToken,
    history: {
        1.0 => "/_matrix/client/r0/events",
        1.1 => "/_matrix/client/v3/events",
    }
}

/// `GET /initialSync`.
#[derive(Debug, Deserialize)]
pub struct InitialSyncRequest {
    /// Messages of each room at the most.
    pub limit: Option<UInt>,
    /// Also rooms that the user has left.
    #[serde(default)]
    pub archived: bool,
}

metadata! {
    @for InitialSyncRequest,

    method: GET,
    rate_limited: false,
    authentication: AccessToken,
    history: {
        1.0 => "/_matrix/client/r0/initialSync",
        1.1 => "/_matrix/client/v3/initialSync",
    }
}

/// `GET /events/{eventId}`.
#[derive(Debug)]
pub struct OneEventRequest {
    /// The event.
    pub event_id: OwnedEventId,
}

metadata! {
    @for OneEventRequest,

    method: GET,
    rate_limited: false,
    authentication: AccessToken,
    history: {
        1.0 => "/_matrix/client/r0/events/{event_id}",
        1.1 => "/_matrix/client/v3/events/{event_id}",
    }
}

/// Requests whose fields all come from the query. What they answer with is written by their handlers.
macro_rules! from_query {
    ($($request:ty),*) => {$(
        impl IncomingRequest for $request {
            type EndpointError = Error;
            type OutgoingResponse = Unused;

            fn try_from_http_request_inner(
                request: http::Request<&[u8]>,
                _: &[&str],
            ) -> Result<Self, DeserializationError> {
                Ok(serde_html_form::from_str(request.uri().query().unwrap_or_default())?)
            }
        }
    )*};
}
from_query!(EventsRequest, InitialSyncRequest);

impl IncomingRequest for OneEventRequest {
    type EndpointError = Error;
    type OutgoingResponse = Unused;

    fn try_from_http_request_inner(_: http::Request<&[u8]>, path_args: &[&str]) -> Result<Self, DeserializationError> {
        let parts = serde::de::value::SeqDeserializer::<_, serde::de::value::Error>::new(path_args.iter().copied());
        let (event_id,) = Deserialize::deserialize(parts)?;
        Ok(Self { event_id })
    }
}

/// `POST /auth/{authType}/fallback/web`: what a page of [`GET`](ruma::api::client::uiaa::get_uiaa_fallback_page) sends.
#[derive(Debug)]
pub struct PassStageRequest {
    /// The stage.
    pub auth_type: String,
    /// The interactive-auth session, from the query.
    pub session: String,
}

metadata! {
    @for PassStageRequest,

    method: POST,
    rate_limited: true,
    authentication: NoAccessToken,
    history: {
        1.0 => "/_matrix/client/r0/auth/{auth_type}/fallback/web",
        1.1 => "/_matrix/client/v3/auth/{auth_type}/fallback/web",
    }
}

impl IncomingRequest for PassStageRequest {
    type EndpointError = Error;
    type OutgoingResponse = Unused;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        path_args: &[&str],
    ) -> Result<Self, DeserializationError> {
        #[derive(Deserialize)]
        struct InQuery {
            session: String,
        }
        let InQuery { session } = serde_html_form::from_str(request.uri().query().unwrap_or_default())?;
        Ok(Self { auth_type: path_args.first().copied().unwrap_or_default().to_owned(), session })
    }
}
