//! Taking users out of a room. [Client-Server API, "Leaving rooms"]
//!
//! [Client-Server API, "Leaving rooms"]: https://spec.matrix.org/v1.19/client-server-api/#leaving-rooms

use axum::extract::State;
use hearth_homeserver::rooms::Rooms;
use ruma::api::client::membership::kick_user::v3::{Request, Response};

use crate::{
    caller::ActiveCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/kick`
pub async fn kick(
    State(rooms): State<Rooms>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    rooms.kick(&user, &body.room_id, &body.user_id, body.reason.as_deref()).await?;
    Ok(Reply(Response::new()))
}
