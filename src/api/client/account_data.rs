//! What a user's clients keep here. [Client-Server API, "Client Config"]
//!
//! [Client-Server API, "Client Config"]: https://spec.matrix.org/v1.19/client-server-api/#client-config

use axum::extract::State;
use hearth_homeserver::users::{LocalUser, Users};
use http::Method;
use ruma::{
    OwnedRoomId, OwnedUserId, UserId,
    api::{
        IncomingRequest, Metadata,
        auth_scheme::AccessToken,
        client::config::{
            get_global_account_data as get_global, get_room_account_data as get_of_room,
            set_global_account_data as set_global, set_room_account_data as set_of_room,
        },
        error::{DeserializationError, Error},
        path_builder::SinglePath,
    },
    serde::Raw,
};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `PUT /_matrix/client/v3/user/{userId}/account_data/{type}`
pub async fn set_account_data(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<set_global::v3::Request>,
) -> Result<set_global::v3::Response> {
    check_own(&user, &body.user_id)?;
    let kind = body.event_type.to_string();
    users.set_account_data(&user, None, &kind, body.data.json()).await?;
    Ok(Reply(set_global::v3::Response::new()))
}

/// `GET /_matrix/client/v3/user/{userId}/account_data/{type}`
pub async fn get_account_data(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<get_global::v3::Request>,
) -> Result<get_global::v3::Response> {
    check_own(&user, &body.user_id)?;
    let kind = body.event_type.to_string();
    let data = users.load_account_data(&user.user_id, None, &kind).await.map_err(ApiError::internal)?;
    let data = data.ok_or_else(|| ApiError::not_found("Account data not found."))?;
    Ok(Reply(get_global::v3::Response::new(Raw::from_json(data))))
}

/// `PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}`
pub async fn set_account_data_per_room(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<set_of_room::v3::Request>,
) -> Result<set_of_room::v3::Response> {
    check_own(&user, &body.user_id)?;
    let kind = body.event_type.to_string();
    users.set_account_data(&user, Some(&body.room_id), &kind, body.data.json()).await?;
    Ok(Reply(set_of_room::v3::Response::new()))
}

/// `GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}`
pub async fn get_account_data_per_room(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<get_of_room::v3::Request>,
) -> Result<get_of_room::v3::Response> {
    check_own(&user, &body.user_id)?;
    let (room, kind) = (Some(&*body.room_id), body.event_type.to_string());
    let data = users.load_account_data(&user.user_id, room, &kind).await.map_err(ApiError::internal)?;
    let data = data.ok_or_else(|| ApiError::not_found("Account data not found."))?;
    Ok(Reply(get_of_room::v3::Response::new(Raw::from_json(data))))
}

/// `DELETE /_matrix/client/unstable/org.matrix.msc3391/user/{userId}/account_data/{type}`
pub async fn delete_account_data(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<DeleteRequest>,
) -> Result<set_global::v3::Response> {
    check_own(&user, &body.user_id)?;
    users.delete_account_data(&user, None, &body.kind).await?;
    Ok(Reply(set_global::v3::Response::new()))
}

/// `DELETE /_matrix/client/unstable/org.matrix.msc3391/user/{userId}/rooms/{roomId}/account_data/{type}`
pub async fn delete_account_data_per_room(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<DeleteOfRoomRequest>,
) -> Result<set_of_room::v3::Response> {
    check_own(&user, &body.user_id)?;
    users.delete_account_data(&user, Some(&body.room_id), &body.kind).await?;
    Ok(Reply(set_of_room::v3::Response::new()))
}

/// Deletes data of the account (MSC3391, which ruma does not know).
#[derive(Debug)]
pub struct DeleteRequest {
    user_id: OwnedUserId,
    kind: String,
}

/// Deletes data of a room (MSC3391, which ruma does not know).
#[derive(Debug)]
pub struct DeleteOfRoomRequest {
    user_id: OwnedUserId,
    room_id: OwnedRoomId,
    kind: String,
}

macro_rules! delete_metadata {
    ($request:ty, $path:literal) => {
        impl Metadata for $request {
            const METHOD: Method = Method::DELETE;
            const RATE_LIMITED: bool = false;
            type Authentication = AccessToken;
            type PathBuilder = SinglePath;
            const PATH_BUILDER: SinglePath = SinglePath::new($path);
        }
    };
}
delete_metadata!(DeleteRequest, "/_matrix/client/unstable/org.matrix.msc3391/user/{user_id}/account_data/{event_type}");
delete_metadata!(
    DeleteOfRoomRequest,
    "/_matrix/client/unstable/org.matrix.msc3391/user/{user_id}/rooms/{room_id}/account_data/{event_type}"
);

impl IncomingRequest for DeleteRequest {
    type EndpointError = Error;
    type OutgoingResponse = set_global::v3::Response;

    fn try_from_http_request_inner(
        _: http::Request<&[u8]>,
        path: &[&str],
    ) -> std::result::Result<Self, DeserializationError> {
        let [user_id, kind] = [0, 1].map(|n| path.get(n).copied().unwrap_or_default());
        Ok(Self { user_id: user_id.try_into()?, kind: kind.to_owned() })
    }
}

impl IncomingRequest for DeleteOfRoomRequest {
    type EndpointError = Error;
    type OutgoingResponse = set_of_room::v3::Response;

    fn try_from_http_request_inner(
        _: http::Request<&[u8]>,
        path: &[&str],
    ) -> std::result::Result<Self, DeserializationError> {
        let [user_id, room_id, kind] = [0, 1, 2].map(|n| path.get(n).copied().unwrap_or_default());
        Ok(Self { user_id: user_id.try_into()?, room_id: room_id.try_into()?, kind: kind.to_owned() })
    }
}

/// What belongs to a user is nobody else's business.
pub(super) fn check_own(user: &LocalUser, named: &UserId) -> std::result::Result<(), ApiError> {
    if user.user_id == named { Ok(()) } else { Err(ApiError::forbidden("This belongs to another user.")) }
}
