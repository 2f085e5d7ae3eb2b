//! The key of the policy server that runs under this name. [Client-Server API, "Policy servers"]
//!
//! [Client-Server API, "Policy servers"]: https://spec.matrix.org/v1.19/client-server-api/#policy-servers

use axum::extract::State;
use ruma::{
    api::client::discovery::discover_policy_server::{Request, Response},
    serde::Base64,
};

use crate::{
    api_error::ApiError,
    config::ApiConfig,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /.well-known/matrix/policy_server`
pub async fn get_wellknown_policy(State(config): State<ApiConfig>, Ruma(_): Ruma<Request>) -> Result<Response> {
    let key = config.policy_server_key.and_then(|key| Base64::parse(key).ok());
    let key = key.ok_or_else(|| ApiError::not_found("There is no policy server under this name."))?;
    Ok(Reply(Response::new(key)))
}
