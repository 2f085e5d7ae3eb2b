//! Where clients find this server. [Client-Server API, "Server Discovery"]
//!
//! [Client-Server API, "Server Discovery"]: https://spec.matrix.org/v1.19/client-server-api/#server-discovery

use axum::extract::State;
use ruma::api::client::discovery::discover_homeserver::{HomeserverInfo, Request, Response};

use crate::{
    api_error::ApiError,
    config::ApiConfig,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /.well-known/matrix/client`
pub async fn get_wellknown(State(config): State<ApiConfig>, Ruma(_): Ruma<Request>) -> Result<Response> {
    let base_url = config
        .public_base_url
        .ok_or_else(|| ApiError::not_found("This server does not say where it is to be reached."))?;
    Ok(Reply(Response::new(HomeserverInfo::new(base_url))))
}
