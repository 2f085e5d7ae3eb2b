//! The keys by which others check what this server has signed. [Server-Server API, "Retrieving server keys"]
//!
//! [Server-Server API, "Retrieving server keys"]: https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys

use std::sync::Arc;

use hearth_protocol::{BadJson, Clock, Signer, sign_json};
use ruma::{OwnedServerName, ServerName};
use serde_json::json;

use crate::Env;

/// How long others may go on with the keys before they ask again, in milliseconds. The specification wants at least
/// an hour, and makes a week of everything that is longer.
const VALID_MS: u64 = 24 * 60 * 60 * 1_000;

/// The handle; cheap to clone.
#[derive(Clone)]
pub struct ServerKeys {
    server_name: OwnedServerName,
    signer: Arc<Signer>,
    clock: Arc<dyn Clock>,
}

impl ServerKeys {
    /// The keys of a server.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self { server_name: env.server_name.clone(), signer: env.signer.clone(), clock: env.clock.clone() }
    }

    /// The name whose keys these are.
    #[must_use]
    pub fn server_name(&self) -> &ServerName {
        &self.server_name
    }

    /// The keys as a signed JSON object, valid for a day from now.
    ///
    /// # Errors
    /// When the object cannot be signed: a mistake in the code.
    pub fn build_document(&self) -> Result<String, BadJson> {
        let document = json!({
            "server_name": self.server_name,
            "valid_until_ts": self.clock.now().0 + VALID_MS,
            "verify_keys": { self.signer.key_id(): { "key": self.signer.public_key_base64() } },
            "old_verify_keys": {},
        });
        sign_json(&self.signer, &document.to_string())
    }
}
