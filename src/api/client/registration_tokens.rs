//! Whether a registration token is good.
//! [Client-Server API, "Token-authenticated Registration"]
//!
//! [Client-Server API, "Token-authenticated Registration"]: https://spec.matrix.org/v1.19/client-server-api/#token-authenticated-registration

use axum::extract::State;
use hearth_homeserver::users::Users;
use ruma::api::client::account::check_registration_token_validity::v1::{Request, Response};

use crate::{
    api_error::ApiError,
    client::registration::check_open,
    client_address::ClientAddress,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `GET /_matrix/client/v1/register/m.login.registration_token/validity`
pub async fn registration_token_validity(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_address(Operation::Registration, address)?;
    check_open(&users)?;
    let valid = users.is_registration_token_valid(&body.token).await.map_err(ApiError::internal)?;
    Ok(Reply(Response::new(valid)))
}
