//! What every part of the homeserver is given at assembly.
//!
//! Values only: it must never grow into an object that knows the parts themselves.

use std::sync::Arc;

use hearth_protocol::{Clock, Rng, Signer};
use hearth_storage::Store;
use ruma::OwnedServerName;

/// Storage, time, randomness and the server's name and key; cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// The tables.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness fit for secrets.
    pub rng: Arc<dyn Rng>,
    /// The name that ends the ids of this server's users.
    pub server_name: OwnedServerName,
    /// The key that signs this server's events.
    pub signer: Arc<Signer>,
}
