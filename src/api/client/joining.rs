//! Joining rooms. [Client-Server API, "Joining rooms"]
//!
//! [Client-Server API, "Joining rooms"]: https://spec.matrix.org/v1.19/client-server-api/#joining-rooms

use axum::extract::State;
use hearth_homeserver::{
    flows::Flows,
    rooms::{JoinWish, Rooms},
    users::LocalUser,
};
use ruma::{
    RoomId,
    api::client::membership::{ThirdPartySigned, join_room_by_id as by_id, join_room_by_id_or_alias as by_id_or_alias},
};
use serde_json::{Map, Value};

use crate::{
    api_error::ApiError,
    caller::ActiveGuestCaller,
    extract::{Ruma, WithContent},
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// Fields of member events that a client does not set by a join (C-S API, `m.room.member`).
const NOT_CUSTOM: [&str; 9] = [
    "avatar_url",
    "displayname",
    "is_direct",
    "join_authorised_via_users_server",
    "membership",
    "reason",
    "third_party_invite",
    "third_party_signed",
    "unsigned",
];

/// `POST /_matrix/client/v3/rooms/{roomId}/join`
pub async fn join_room_by_id(
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(whole): Ruma<WithContent<by_id::v3::Request>>,
) -> Result<by_id::v3::Response> {
    limits.check_user(Operation::Join, &user)?;
    let WithContent { request: body, content } = whole;
    check_guest(&flows, &user, &body.room_id).await?;
    limits.check_left_for_room(Operation::RoomJoin, &user, &body.room_id)?;
    let wish = to_wish(body.reason, body.third_party_signed.as_ref(), content)?;
    flows.join(&user, &body.room_id, wish).await?;
    limits.count_room(Operation::RoomJoin, &user, &body.room_id);
    Ok(Reply(by_id::v3::Response::new(body.room_id)))
}

/// `POST /_matrix/client/v3/join/{roomIdOrAlias}`
pub async fn join_room(
    State(rooms): State<Rooms>,
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    ActiveGuestCaller(user): ActiveGuestCaller,
    Ruma(whole): Ruma<WithContent<by_id_or_alias::v3::Request>>,
) -> Result<by_id_or_alias::v3::Response> {
    limits.check_user(Operation::Join, &user)?;
    let WithContent { request: body, content } = whole;
    let room_id = rooms.resolve(&body.room_id_or_alias).await?;
    check_guest(&flows, &user, &room_id).await?;
    limits.check_left_for_room(Operation::RoomJoin, &user, &room_id)?;
    let wish = to_wish(body.reason, body.third_party_signed.as_ref(), content)?;
    flows.join(&user, &room_id, wish).await?;
    limits.count_room(Operation::RoomJoin, &user, &room_id);
    Ok(Reply(by_id_or_alias::v3::Response::new(room_id)))
}

/// Guests join only where the room lets them in.
async fn check_guest(flows: &Flows, user: &LocalUser, room: &RoomId) -> std::result::Result<(), ApiError> {
    let is_admitted = !user.is_guest || flows.admits_guests(room).await?;
    if is_admitted { Ok(()) } else { Err(ApiError::guest_forbidden()) }
}

/// What the member event is to say: fields that are the request's or the server's are not taken over by name.
fn to_wish(
    reason: Option<String>,
    signed: Option<&ThirdPartySigned>,
    mut custom: Map<String, Value>,
) -> std::result::Result<JoinWish, ApiError> {
    custom.retain(|name, _| !NOT_CUSTOM.contains(&name.as_str()));
    let third_party_signed = signed.map(serde_json::to_value).transpose().map_err(ApiError::internal)?;
    Ok(JoinWish { reason, third_party_signed, custom })
}
