//! Proving to others who one is. [Client-Server API, "OpenID"]
//!
//! [Client-Server API, "OpenID"]: https://spec.matrix.org/v1.19/client-server-api/#openid

use std::time::Duration;

use axum::extract::State;
use hearth_homeserver::users::Users;
use ruma::{
    api::client::account::request_openid_token::v3::{Request, Response},
    authentication::TokenType,
};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/user/{userId}/openid/request_token`
pub async fn request_open_id_token(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    if body.user_id != user.user_id {
        return Err(ApiError::forbidden("One can ask for one's own token only."));
    }
    limits.check_user(Operation::OpenIdToken, &user)?;
    let made = users.create_openid_token(&user).await?;
    let server = user.user_id.server_name().to_owned();
    Ok(Reply(Response::new(made.token, TokenType::Bearer, server, Duration::from_secs(made.expires_in_s))))
}
