//! Requests of old operations for which ruma has no type, or one that asks for more than the specification.

use ruma::{
    OwnedEventId, OwnedRoomId, UInt,
    api::auth_scheme::{AccessToken, NoAccessToken},
    metadata,
};
use serde::Deserialize;

use crate::incoming::{incoming, query, variable};

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

/// `GET /openid/userinfo` of the federation API, where a missing token has an answer of its own.
#[derive(Debug, Deserialize)]
pub struct OpenIdUserRequest {
    /// The token.
    pub access_token: Option<String>,
}

metadata! {
    @for OpenIdUserRequest,

    method: GET,
    rate_limited: false,
    authentication: NoAccessToken,
    path: "/_matrix/federation/v1/openid/userinfo",
}

/// The query of [`PassStageRequest`].
#[derive(Deserialize)]
struct StageSession {
    session: String,
}

incoming! {
    EventsRequest: |request, _| query(&request)?;
    InitialSyncRequest: |request, _| query(&request)?;
    OpenIdUserRequest: |request, _| query(&request)?;
    OneEventRequest: |_, path| Self { event_id: variable(path).try_into()? };
    PassStageRequest: |request, path| Self {
        auth_type: variable(path),
        session: query::<StageSession>(&request)?.session,
    };
}
