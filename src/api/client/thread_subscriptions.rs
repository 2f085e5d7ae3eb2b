//! Which threads a user follows (MSC4306).

use axum::extract::State;
use hearth_homeserver::rooms::{Rooms, ThreadSubscriptions};
use ruma::{
    OwnedEventId, OwnedRoomId,
    api::{
        IncomingRequest,
        auth_scheme::AccessToken,
        client::session::logout::v3::Response as Empty,
        error::{DeserializationError, Error},
        metadata,
    },
};
use serde::Deserialize;
use serde_json::json;

use crate::{api_error::ApiError, caller::Caller, extract::Ruma, reply::JsonText};

/// `GET /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{threadRootId}/subscription`
pub async fn get_thread_subscription(
    State(rooms): State<Rooms>,
    State(subscriptions): State<ThreadSubscriptions>,
    Caller(user): Caller,
    Ruma(GetRequest(thread)): Ruma<GetRequest>,
) -> Result<JsonText, ApiError> {
    let view = rooms.require_view(&thread.room_id).await?;
    let subscription = subscriptions.load(&user, &view, &thread.root).await?;
    let is_automatic = subscription.ok_or_else(|| ApiError::not_found("Not subscribed to this thread."))?;
    JsonText::of(&json!({ "automatic": is_automatic }))
}

/// `PUT /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{threadRootId}/subscription`
pub async fn subscribe_to_thread(
    State(rooms): State<Rooms>,
    State(subscriptions): State<ThreadSubscriptions>,
    Caller(user): Caller,
    Ruma(body): Ruma<PutRequest>,
) -> Result<JsonText, ApiError> {
    let view = rooms.require_view(&body.thread.room_id).await?;
    subscriptions.subscribe(&user, &view, &body.thread.root, body.cause.as_deref()).await?;
    JsonText::of(&json!({}))
}

/// `DELETE /_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{threadRootId}/subscription`
pub async fn unsubscribe_from_thread(
    State(rooms): State<Rooms>,
    State(subscriptions): State<ThreadSubscriptions>,
    Caller(user): Caller,
    Ruma(DeleteRequest(thread)): Ruma<DeleteRequest>,
) -> Result<JsonText, ApiError> {
    let view = rooms.require_view(&thread.room_id).await?;
    subscriptions.unsubscribe(&user, &view, &thread.root).await?;
    JsonText::of(&json!({}))
}

/// The thread that a path names.
#[derive(Debug)]
pub struct Thread {
    room_id: OwnedRoomId,
    root: OwnedEventId,
}

impl Thread {
    fn of_path(path: &[&str]) -> Result<Self, DeserializationError> {
        let [room_id, root] = [0, 1].map(|n| path.get(n).copied().unwrap_or_default());
        Ok(Self { room_id: room_id.try_into()?, root: root.try_into()? })
    }
}

/// Asks whether the user follows a thread.
#[derive(Debug)]
pub struct GetRequest(Thread);

/// Follows a thread.
#[derive(Debug)]
pub struct PutRequest {
    thread: Thread,
    /// The event for which a client does so by itself.
    cause: Option<OwnedEventId>,
}

/// Stops following a thread.
#[derive(Debug)]
pub struct DeleteRequest(Thread);

macro_rules! subscription_path {
    ($request:ty, $method:ident) => {
        metadata! {
            @for $request,
            method: $method,
            rate_limited: false,
            authentication: AccessToken,
            path: "/_matrix/client/unstable/io.element.msc4306/rooms/{room_id}/thread/{thread_root_id}/subscription",
        }
    };
}
subscription_path!(GetRequest, GET);
subscription_path!(PutRequest, PUT);
subscription_path!(DeleteRequest, DELETE);

impl IncomingRequest for GetRequest {
    type EndpointError = Error;
    type OutgoingResponse = Empty;

    fn try_from_http_request_inner(_: http::Request<&[u8]>, path: &[&str]) -> Result<Self, DeserializationError> {
        Thread::of_path(path).map(Self)
    }
}

impl IncomingRequest for PutRequest {
    type EndpointError = Error;
    type OutgoingResponse = Empty;

    fn try_from_http_request_inner(request: http::Request<&[u8]>, path: &[&str]) -> Result<Self, DeserializationError> {
        #[derive(Deserialize)]
        struct Body {
            automatic: Option<OwnedEventId>,
        }
        let body: Body = serde_json::from_slice(request.body())?;
        Ok(Self { thread: Thread::of_path(path)?, cause: body.automatic })
    }
}

impl IncomingRequest for DeleteRequest {
    type EndpointError = Error;
    type OutgoingResponse = Empty;

    fn try_from_http_request_inner(_: http::Request<&[u8]>, path: &[&str]) -> Result<Self, DeserializationError> {
        Thread::of_path(path).map(Self)
    }
}
