//! New access tokens for old. [Client-Server API, "Refreshing access tokens"]
//!
//! [Client-Server API, "Refreshing access tokens"]: https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens

use std::time::Duration;

use axum::extract::State;
use hearth_homeserver::users::Users;
use ruma::api::client::session::refresh_token::v3::{Request, Response};

use crate::{
    client_address::ClientAddress,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/refresh`
pub async fn refresh(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_address(Operation::Refresh, address)?;
    let session = users.refresh(&body.refresh_token).await?;
    let mut response = Response::new(session.access_token);
    response.refresh_token = session.refresh_token;
    response.expires_in_ms = session.expires_in_ms.map(Duration::from_millis);
    Ok(Reply(response))
}
