//! Making accounts with the operator's shared secret, as `register_new_matrix_user` and test suites do.

use axum::extract::State;
use hearth_homeserver::users::{NewDevice, SharedSecretRequest, Users};
use serde_json::json;

use crate::{
    api_error::ApiError,
    client_address::ClientAddress,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::JsonText,
    synapse_requests::{Nonce, Register},
};

/// `GET /_synapse/admin/v1/register`
pub async fn get_registration_nonce(State(users): State<Users>, Ruma(_): Ruma<Nonce>) -> Result<JsonText, ApiError> {
    JsonText::of(&json!({ "nonce": users.create_registration_nonce()? }))
}

/// `POST /_synapse/admin/v1/register`
///
/// Counted like any registration, so that the secret is not guessed.
pub async fn register_by_secret(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    Ruma(body): Ruma<Register>,
) -> Result<JsonText, ApiError> {
    limits.check_address(Operation::Registration, address)?;
    let request = SharedSecretRequest {
        nonce: body.nonce,
        username: body.username,
        password: body.password,
        display_name: body.displayname,
        is_admin: body.admin,
        user_type: body.user_type,
        mac: body.mac,
        device: (!body.inhibit_login).then(NewDevice::default),
    };
    let made = users.register_by_secret(request).await?;
    let mut answer = json!({ "user_id": made.user_id, "home_server": made.user_id.server_name() });
    if let Some(session) = made.session {
        answer["device_id"] = session.device_id.as_str().into();
        answer["access_token"] = session.access_token.into();
    }
    JsonText::of(&answer)
}
