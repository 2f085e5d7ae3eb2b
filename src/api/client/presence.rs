//! Who is online. [Client-Server API, "Presence"]
//!
//! [Client-Server API, "Presence"]: https://spec.matrix.org/v1.19/client-server-api/#presence

use std::time::Duration;

use axum::extract::State;
use hearth_homeserver::{flows::Flows, users::Users};
use ruma::api::client::presence::{get_presence as get_status, set_presence as set_status};

use super::account_data::check_own;
use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `PUT /_matrix/client/v3/presence/{userId}/status`
pub async fn set_presence(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<set_status::v3::Request>,
) -> Result<set_status::v3::Response> {
    check_own(&user, &body.user_id)?;
    users.presence().set(&user.user_id, body.presence, body.status_msg)?;
    Ok(Reply(set_status::v3::Response::new()))
}

/// `GET /_matrix/client/v3/presence/{userId}/status`
pub async fn get_presence(
    State(users): State<Users>,
    State(flows): State<Flows>,
    Caller(user): Caller,
    Ruma(body): Ruma<get_status::v3::Request>,
) -> Result<get_status::v3::Response> {
    if user.user_id != body.user_id && !flows.share_room(&user, &body.user_id).await? {
        return Err(ApiError::forbidden("You share no room with this user."));
    }
    let presence = users.presence().load(&body.user_id);
    let mut response = get_status::v3::Response::new(presence.state);
    response.status_msg = presence.status_msg;
    response.currently_active = Some(presence.currently_active);
    response.last_active_ago = presence.last_active_ago_ms.map(Duration::from_millis);
    Ok(Reply(response))
}
