//! This server's own keys. [Server-Server API, "Publishing keys"]
//!
//! [Server-Server API, "Publishing keys"]: https://spec.matrix.org/v1.19/server-server-api/#publishing-keys

use axum::extract::State;
use hearth_homeserver::federation::ServerKeys;
use ruma::api::federation::discovery::get_server_keys::v2::Request;

use crate::{api_error::ApiError, extract::Ruma, reply::JsonText};

/// `GET /_matrix/key/v2/server`
pub async fn get_server_key(
    State(keys): State<ServerKeys>,
    Ruma(_): Ruma<Request>,
) -> std::result::Result<JsonText, ApiError> {
    Ok(JsonText::new(keys.build_document().map_err(ApiError::internal)?))
}
