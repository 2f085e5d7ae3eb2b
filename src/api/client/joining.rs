//! Joining rooms. [Client-Server API, "Joining rooms"]
//!
//! [Client-Server API, "Joining rooms"]: https://spec.matrix.org/v1.19/client-server-api/#joining-rooms

use axum::extract::State;
use hearth_homeserver::{flows::Flows, rooms::Rooms, users::LocalUser};
use ruma::{
    RoomId,
    api::client::membership::{ThirdPartySigned, join_room_by_id as by_id, join_room_by_id_or_alias as by_id_or_alias},
};
use serde_json::Value;

use crate::{
    api_error::ApiError,
    caller::ActiveGuestCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/join`
pub async fn join_room_by_id(
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(body): Ruma<by_id::v3::Request>,
) -> Result<by_id::v3::Response> {
    limits.check_user(Operation::Join, &user)?;
    check_guest(&flows, &user, &body.room_id).await?;
    let signed = to_json(body.third_party_signed.as_ref())?;
    flows.join(&user, &body.room_id, body.reason.as_deref(), signed).await?;
    Ok(Reply(by_id::v3::Response::new(body.room_id)))
}

/// `POST /_matrix/client/v3/join/{roomIdOrAlias}`
pub async fn join_room(
    State(rooms): State<Rooms>,
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(body): Ruma<by_id_or_alias::v3::Request>,
) -> Result<by_id_or_alias::v3::Response> {
    limits.check_user(Operation::Join, &user)?;
    let room_id = rooms.resolve(&body.room_id_or_alias).await?;
    check_guest(&flows, &user, &room_id).await?;
    let signed = to_json(body.third_party_signed.as_ref())?;
    flows.join(&user, &room_id, body.reason.as_deref(), signed).await?;
    Ok(Reply(by_id_or_alias::v3::Response::new(room_id)))
}

/// Guests join only where the room lets them in.
async fn check_guest(flows: &Flows, user: &LocalUser, room: &RoomId) -> std::result::Result<(), ApiError> {
    let is_admitted = !user.is_guest || flows.admits_guests(room).await?;
    if is_admitted { Ok(()) } else { Err(ApiError::guest_forbidden()) }
}

fn to_json(signed: Option<&ThirdPartySigned>) -> std::result::Result<Option<Value>, ApiError> {
    signed.map(serde_json::to_value).transpose().map_err(ApiError::internal)
}
