//! Asking to be let in. [Client-Server API, "Knocking on rooms"]
//!
//! [Client-Server API, "Knocking on rooms"]: https://spec.matrix.org/v1.19/client-server-api/#knocking-on-rooms

use axum::extract::State;
use hearth_homeserver::rooms::Rooms;
use ruma::api::client::knock::knock_room::v3::{Request, Response};

use crate::{
    caller::ActiveCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/knock/{roomIdOrAlias}`
pub async fn knock_room(
    State(rooms): State<Rooms>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_user(Operation::Join, &user)?;
    let room_id = rooms.resolve(&body.room_id_or_alias).await?;
    rooms.knock(&user, &room_id, body.reason.as_deref()).await?;
    Ok(Reply(Response::new(room_id)))
}
