//! Where calls are carried. [Client-Server API, "Voice over IP"]
//!
//! [Client-Server API, "Voice over IP"]: https://spec.matrix.org/v1.19/client-server-api/#voice-over-ip

use axum::extract::State;
use hearth_homeserver::turn::Turn;
use ruma::api::client::voip::get_turn_server_info::v3::Request;
use serde_json::json;

use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::JsonText,
};

/// `GET /_matrix/client/v3/voip/turnServer`
///
/// Written out here: ruma's type cannot say that there is no TURN server, which clients read from `{}`.
pub async fn get_turn_server(
    State(turn): State<Turn>,
    State(limits): State<RateLimits>,
    GuestCaller(user): GuestCaller,
    Ruma(_): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    if user.is_guest && !turn.admits_guests() {
        return Err(ApiError::guest_forbidden());
    }
    limits.check_user(Operation::TurnServer, &user)?;
    JsonText::of(&match turn.build_credentials(&user.user_id) {
        None => json!({}),
        Some(made) => json!({
            "username": made.username,
            "password": made.password,
            "uris": made.uris,
            "ttl": made.lifetime_s,
        }),
    })
}
