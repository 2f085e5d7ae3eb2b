//! Keys of servers by way of this one. [Server-Server API, "Querying keys through another server"]
//!
//! It vouches for its own keys. Of another server it knows none yet, and leaves it out of the answer, as the
//! specification has it for servers that cannot be reached.
//!
//! [Server-Server API, "Querying keys through another server"]: https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server

use axum::extract::State;
use hearth_homeserver::federation::ServerKeys;
use ruma::{
    OwnedServerName,
    api::federation::discovery::{get_remote_server_keys, get_remote_server_keys_batch},
};

use crate::{api_error::ApiError, extract::Ruma, reply::JsonText};

/// `GET /_matrix/key/v2/query/{serverName}`
pub async fn perspectives_key_query(
    State(keys): State<ServerKeys>,
    Ruma(body): Ruma<get_remote_server_keys::v2::Request>,
) -> Result<JsonText, ApiError> {
    answer(&keys, &[body.server_name])
}

/// `POST /_matrix/key/v2/query`
pub async fn bulk_perspectives_key_query(
    State(keys): State<ServerKeys>,
    Ruma(body): Ruma<get_remote_server_keys_batch::v2::Request>,
) -> Result<JsonText, ApiError> {
    answer(&keys, &body.server_keys.into_keys().collect::<Vec<_>>())
}

fn answer(keys: &ServerKeys, asked: &[OwnedServerName]) -> Result<JsonText, ApiError> {
    let known = if asked.iter().any(|name| name == keys.server_name()) {
        keys.build_document().map_err(ApiError::internal)?
    } else {
        String::new()
    };
    Ok(JsonText::new(format!("{{\"server_keys\":[{known}]}}")))
}
