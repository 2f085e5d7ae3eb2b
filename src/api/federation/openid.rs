//! Telling others whose OpenID token they were shown. [Server-Server API, "OpenID"]
//!
//! Anybody may ask, without a signature: the token is the proof.
//!
//! [Server-Server API, "OpenID"]: https://spec.matrix.org/v1.19/server-server-api/#openid

use axum::extract::State;
use hearth_homeserver::users::Users;
use http::StatusCode;
use ruma::api::federation::openid::get_openid_userinfo::v1::Response;

use crate::{
    api_error::ApiError,
    beyond_ruma::OpenIdUserRequest,
    client_address::ClientAddress,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `GET /_matrix/federation/v1/openid/userinfo`
pub async fn exchange_open_id_token(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    Ruma(body): Ruma<OpenIdUserRequest>,
) -> Result<Response> {
    limits.check_address(Operation::OpenIdToken, address)?;
    let token = body.access_token.ok_or_else(ApiError::missing_token)?;
    let user = users.load_openid_user(&token).await?.ok_or_else(|| {
        ApiError::new(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", "The token is unknown or ran out.")
    })?;
    Ok(Reply(Response::new(user)))
}
