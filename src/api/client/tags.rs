//! Tags of rooms. [Client-Server API, "Room Tagging"]
//!
//! [Client-Server API, "Room Tagging"]: https://spec.matrix.org/v1.19/client-server-api/#room-tagging

use axum::extract::State;
use hearth_homeserver::users::Users;
use http::Method;
use ruma::{
    OwnedRoomId, OwnedUserId,
    api::{
        IncomingRequest, Metadata,
        client::tag::{create_tag, delete_tag, get_tags},
        error::{DeserializationError, Error},
    },
};
use serde_json::{Map, Value, json};

use super::account_data::check_own;
use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{JsonText, Reply, Result},
};

/// `GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags`
pub async fn get_room_tags(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<get_tags::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    check_own(&user, &body.user_id)?;
    let tags = users.load_tags(&user.user_id, &body.room_id).await.map_err(ApiError::internal)?;
    JsonText::of(&json!({ "tags": tags }))
}

/// `PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}`
pub async fn set_room_tag(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<SetTagRequest>,
) -> Result<create_tag::v3::Response> {
    check_own(&user, &body.user_id)?;
    users.set_tag(&user, &body.room_id, &body.tag, &body.info).await?;
    Ok(Reply(create_tag::v3::Response::new()))
}

/// `DELETE /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}`
pub async fn delete_room_tag(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<delete_tag::v3::Request>,
) -> Result<delete_tag::v3::Response> {
    check_own(&user, &body.user_id)?;
    users.delete_tag(&user, &body.room_id, &body.tag).await?;
    Ok(Reply(delete_tag::v3::Response::new()))
}

/// ruma's request, but for the tag's content, of which ruma keeps the order alone.
#[derive(Debug)]
pub struct SetTagRequest {
    user_id: OwnedUserId,
    room_id: OwnedRoomId,
    tag: String,
    info: Map<String, Value>,
}

impl Metadata for SetTagRequest {
    const METHOD: Method = create_tag::v3::Request::METHOD;
    const RATE_LIMITED: bool = create_tag::v3::Request::RATE_LIMITED;
    type Authentication = <create_tag::v3::Request as Metadata>::Authentication;
    type PathBuilder = <create_tag::v3::Request as Metadata>::PathBuilder;
    const PATH_BUILDER: Self::PathBuilder = create_tag::v3::Request::PATH_BUILDER;
}

impl IncomingRequest for SetTagRequest {
    type EndpointError = Error;
    type OutgoingResponse = create_tag::v3::Response;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        path: &[&str],
    ) -> std::result::Result<Self, DeserializationError> {
        let info = serde_json::from_slice(request.body())?;
        let [user_id, room_id, tag] = [0, 1, 2].map(|n| path.get(n).copied().unwrap_or_default());
        Ok(Self { user_id: user_id.try_into()?, room_id: room_id.try_into()?, tag: tag.to_owned(), info })
    }
}
