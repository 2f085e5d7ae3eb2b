//! What program this is. [Server-Server API, "Server implementation"]
//!
//! [Server-Server API, "Server implementation"]: https://spec.matrix.org/v1.19/server-server-api/#server-implementation

use ruma::api::federation::discovery::get_server_version::v1::Request;
use serde_json::json;

use crate::{api_error::ApiError, extract::Ruma, reply::JsonText};

/// `GET /_matrix/federation/v1/version`
pub async fn get_version(Ruma(_): Ruma<Request>) -> Result<JsonText, ApiError> {
    JsonText::of(&json!({ "server": { "name": "Hearth", "version": env!("CARGO_PKG_VERSION") } }))
}
