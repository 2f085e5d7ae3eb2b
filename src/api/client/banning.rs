//! Keeping users out of a room. [Client-Server API, "Banning users in a room"]
//!
//! [Client-Server API, "Banning users in a room"]: https://spec.matrix.org/v1.19/client-server-api/#banning-users-in-a-room

use axum::extract::State;
use hearth_homeserver::rooms::Rooms;
use ruma::api::client::membership::{ban_user, unban_user};

use crate::{
    caller::ActiveCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/ban`
pub async fn ban(
    State(rooms): State<Rooms>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<ban_user::v3::Request>,
) -> Result<ban_user::v3::Response> {
    rooms.ban(&user, &body.room_id, &body.user_id, body.reason.as_deref()).await?;
    Ok(Reply(ban_user::v3::Response::new()))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/unban`
pub async fn unban(
    State(rooms): State<Rooms>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<unban_user::v3::Request>,
) -> Result<unban_user::v3::Response> {
    rooms.unban(&user, &body.room_id, &body.user_id, body.reason.as_deref()).await?;
    Ok(Reply(unban_user::v3::Response::new()))
}
