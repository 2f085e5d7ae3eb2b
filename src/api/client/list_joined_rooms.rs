//! The rooms of a user. [Client-Server API, "Room membership"]
//!
//! [Client-Server API, "Room membership"]: https://spec.matrix.org/v1.19/client-server-api/#room-membership

use axum::extract::State;
use hearth_homeserver::flows::Flows;
use ruma::api::client::membership::joined_rooms::v3::{Request, Response};

use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v3/joined_rooms`
pub async fn get_joined_rooms(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(_): Ruma<Request>,
) -> Result<Response> {
    let rooms = flows.list_joined_rooms(&user).await.map_err(ApiError::internal)?;
    Ok(Reply(Response::new(rooms)))
}
