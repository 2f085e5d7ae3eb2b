//! Leaving rooms, and forgetting them. [Client-Server API, "Leaving rooms"]
//!
//! [Client-Server API, "Leaving rooms"]: https://spec.matrix.org/v1.19/client-server-api/#leaving-rooms

use axum::extract::State;
use hearth_homeserver::rooms::Rooms;
use ruma::api::client::membership::{forget_room as forget, leave_room as leave};

use crate::{
    caller::{Caller, GuestCaller},
    extract::Ruma,
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/leave`
pub async fn leave_room(
    State(rooms): State<Rooms>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<leave::v3::Request>,
) -> Result<leave::v3::Response> {
    rooms.leave(&user, &body.room_id, body.reason.as_deref()).await?;
    Ok(Reply(leave::v3::Response::new()))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/forget`
pub async fn forget_room(
    State(rooms): State<Rooms>,
    Caller(user): Caller,
    Ruma(body): Ruma<forget::v3::Request>,
) -> Result<forget::v3::Response> {
    rooms.forget(&user, &body.room_id).await?;
    Ok(Reply(forget::v3::Response::new()))
}
