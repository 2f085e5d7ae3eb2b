//! Letting another device in. [Client-Server API, "Token-based user login"]
//!
//! [Client-Server API, "Token-based user login"]: https://spec.matrix.org/v1.19/client-server-api/#token-based-user-login

use std::time::Duration;

use axum::extract::State;
use hearth_homeserver::users::{LoginTokenError, Users};
use ruma::api::client::session::get_login_token::v1::{Request, Response};

use crate::{
    caller::ActiveCaller,
    extract::RumaAuth,
    interactive::reauthenticate,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v1/login/get_token`
pub async fn generate_login_token(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    RumaAuth(body): RumaAuth<Request>,
) -> Result<Response> {
    if !users.config().login_tokens {
        return Err(LoginTokenError::NotOffered.into());
    }
    if body.auth.is_some() {
        limits.check_user(Operation::LoginToken, &user)?;
    }
    let proof = reauthenticate(&users, &user, "getLoginToken", "/login/get_token", body.auth.as_ref()).await?;
    let made = users.create_login_token(&user, proof).await?;
    Ok(Reply(Response::new(Duration::from_millis(made.expires_in_ms), made.token)))
}
