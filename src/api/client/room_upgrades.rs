//! Replacing rooms. [Client-Server API, "Room Upgrades"]
//!
//! [Client-Server API, "Room Upgrades"]: https://spec.matrix.org/v1.19/client-server-api/#room-upgrades

use axum::extract::State;
use hearth_homeserver::{flows::Flows, rooms::UpgradeRoom};
use ruma::api::client::room::upgrade_room::v3::{Request, Response};

use crate::{
    caller::ActiveCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/upgrade`
pub async fn upgrade_room(
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_user(Operation::RoomCreation, &user)?;
    let request = UpgradeRoom { version: body.new_version, additional_creators: body.additional_creators };
    let replacement = flows.upgrade_room(&user, &body.room_id, &request).await?;
    Ok(Reply(Response::new(replacement)))
}
